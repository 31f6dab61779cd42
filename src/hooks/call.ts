import net from 'node:net';

export type Answer = Readonly<Record<string, unknown>>;

/** It answered with another status than 200. */
export class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`it answered with status ${status}`);
    this.status = status;
  }
}

/** What is written; without it the call reads. */
type Write = Readonly<{ body: object; secret: string | undefined }>;

/**
 * Makes one call over one connection. It uses the version of HTTP that needs no parser, because loading Node's own
 * takes longer than the call. Rejects unless the response is JSON with status 200.
 */
export async function call(url: URL, write?: Write): Promise<Answer> {
  const text = write ? JSON.stringify(write.body) : '';
  const headers = { host: url.host, accept: 'application/json', ...toWriteHeaders(text, write) };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = await connect(url);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('error', reject);
    socket.on('end', () => {
      const answer = Buffer.concat(parts);
      try {
        const [, status] = /^HTTP\/1\.\d (\d{3}) /.exec(answer.toString('latin1', 0, 16)) ?? [];
        if (status !== '200') throw new StatusError(Number(status));
        resolve(JSON.parse(answer.toString('utf8', answer.indexOf('\r\n\r\n') + 4)));
      } catch (error) {
        reject(error);
      }
    });
    const method = write ? 'POST' : 'GET';
    socket.write(`${method} ${url.pathname}${url.search} HTTP/1.0\r\n${head.join('')}\r\n`, 'latin1');
    socket.write(text);
  });
}

/** Headers are written as latin1, so the bytes of the secret arrive unchanged. */
function toWriteHeaders(text: string, write: Write | undefined): Record<string, string> {
  if (!write) return {};
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...(write.secret && { 'x-bus-secret': Buffer.from(write.secret).toString('latin1') }),
  };
}

async function connect({ hostname, port, protocol }: URL): Promise<net.Socket> {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol !== 'https:') return net.connect({ host, port: Number(port || 80) });
  const tls = await import('node:tls');
  return tls.connect({ host, port: Number(port || 443), servername: net.isIP(host) ? '' : host });
}
