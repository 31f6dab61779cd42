import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** The way to the database, as a network that can be cut. */
export type Proxy = Readonly<{
  port: number;
  /** Lets the next COMMIT through to the server, and cuts every connection before the answer comes back. */
  cutAtCommit: () => void;
  /** Lets the next COMMIT through to the server, and resolves when its answer is there, which nobody is told. */
  holdAtCommit: () => Promise<void>;
  /** Lets the next COMMIT through to the server, and answers with an error in its place, as a pooler does whose server died. */
  failAtCommit: (error: Readonly<{ severity: string; code: string }>) => void;
  /** Lets the next transaction begin, and nothing through afterwards. */
  freezeAtBegin: () => void;
  /** Lets through what has waited since then, and everything after it. */
  thaw: () => void;
  /** Takes everything from now on, and lets nothing through. */
  swallow: () => void;
  /** Cuts what is connected now; new connections work. */
  cut: () => void;
  /** Cuts everything, and takes no new connections until it is opened again. */
  close: () => void;
  open: () => void;
}>;

export async function startProxy(serverPort: number): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  /** What to do with the answer to the next COMMIT. */
  let atCommit: ((near: Socket) => void) | undefined;
  let isFreezing = false;
  let isClosed = false;
  let isSwallowing = false;

  const server = createServer((near) => {
    if (isClosed) return near.destroy();
    const far = connect(serverPort, '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    let isCommitting = false;
    let answered: Buffer = Buffer.alloc(0);
    near.on('data', (bytes) => {
      if (isSwallowing) return;
      if (atCommit && bytes.includes('COMMIT\0')) isCommitting = true;
      far.write(bytes);
      if (!isFreezing || !bytes.includes('READ COMMITTED\0')) return;
      near.pause();
      far.pause();
    });
    far.on('data', (bytes) => {
      if (isSwallowing) return;
      if (!isCommitting) return near.write(bytes);
      // Statements before it are answered one by one; cut off among them, the server might not get as far.
      answered = Buffer.concat([answered, bytes]);
      if (!answered.includes('COMMIT\0')) return;
      atCommit?.(near);
      atCommit = undefined;
    });
    for (const socket of pair) {
      socket.on('error', () => {});
      socket.on('close', () => {
        pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  function cut(): void {
    for (const pair of pairs) for (const socket of pair) socket.destroySoon();
  }

  function close(): void {
    isClosed = true;
    cut();
  }

  onTestFinished(() => {
    server.close();
    close();
  });
  const { port } = server.address() as { port: number };
  return {
    port,
    cut,
    close,
    open: () => {
      isClosed = false;
    },
    swallow: () => {
      isSwallowing = true;
    },
    failAtCommit: (error) => {
      atCommit = (near) => {
        near.write(toErrorResponse(error));
        cut();
      };
    },
    freezeAtBegin: () => {
      isFreezing = true;
    },
    thaw: () => {
      isFreezing = false;
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    cutAtCommit: () => {
      atCommit = cut;
    },
    holdAtCommit: () =>
      new Promise((resolve) => {
        atCommit = () => resolve();
      }),
  };
}

/** In the form of the PostgreSQL protocol, whose fields say the severity in the language of the server and in English. */
function toErrorResponse({ severity, code }: Readonly<{ severity: string; code: string }>): Buffer {
  const fields = Buffer.from(`S${severity}\0VFATAL\0C${code}\0Mit failed\0\0`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(fields.length + length.length);
  return Buffer.concat([Buffer.from('E'), length, fields]);
}
