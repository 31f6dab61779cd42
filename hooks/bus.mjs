// The few calls that the hooks make. No dependency, and nothing that takes long to load: a hook holds up its client.
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { dataFolder } from './session.mjs';

/** Whatever goes wrong, and however long it would take: the session goes on as if there were no hook. */
export function endWithin(milliseconds) {
  const end = () => process.exit(0);
  process.on('uncaughtException', end);
  setTimeout(end, milliseconds);
}

/** The bus that the MCP server of the session uses: the one it was told, else the local one. Rejects when there is none. */
export async function findBus() {
  const { BUS_MCP_AUTOSTART = '', BUS_MCP_BASE_URL } = process.env;
  if (BUS_MCP_BASE_URL) return toBus(BUS_MCP_BASE_URL.split(',')[0].trim());
  const startsNothing = /^(0|false|no|off)$/i.test(BUS_MCP_AUTOSTART.trim());
  if (!startsNothing) return openLocalBus();
  try {
    const bus = openLocalBus();
    await bus.proved;
    return bus;
  } catch {
    // A server that may start none calls the usual address where it finds none.
    return toBus('http://127.0.0.1:8100/api/bus');
  }
}

function openLocalBus() {
  const store = process.env.BUS_STORE || `${dataFolder()}/bus.db`;
  const { baseUrl, token } = JSON.parse(readFileSync(`${store}.address`, 'utf8'));
  return toBus(baseUrl, prove(baseUrl, token));
}

/** Another program may have come to listen where the bus was; it must not see the secret, and its digest would be a lie. */
async function prove(baseUrl, token) {
  const challenge = randomUUID();
  const { proof } = await call('GET', new URL(`/identity?challenge=${challenge}`, baseUrl));
  const expected = createHmac('sha256', token).update(challenge).digest('hex');
  if (proof !== expected) throw new Error('a stranger listens where the bus was');
}

/** What is read carries no secret and is asked for at once; nothing is believed before the proof. */
function toBus(givenUrl, proved = Promise.resolve()) {
  const baseUrl = givenUrl.replace(/\/+$/, '');
  return {
    baseUrl,
    proved,
    async get(path) {
      const [answer] = await Promise.all([call('GET', new URL(baseUrl + path)), proved]);
      return answer;
    },
    async post(path, body) {
      await proved;
      return call('POST', new URL(baseUrl + path), body);
    },
  };
}

/** One connection for one request, in the version of HTTP that needs no parser: Node's own takes longer than the call. */
async function call(method, url, body) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const headers = { host: url.host, accept: 'application/json' };
  if (body !== undefined) Object.assign(headers, toBodyHeaders(text), secretHeader());
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = await connect(url);
  return new Promise((resolve, reject) => {
    const parts = [];
    socket.on('data', (part) => parts.push(part));
    socket.on('error', reject);
    socket.on('end', () => {
      const answer = Buffer.concat(parts);
      try {
        if (!/^HTTP\/1\.\d 200 /.test(answer.toString('latin1', 0, 16))) throw new Error('it refused');
        resolve(JSON.parse(answer.toString('utf8', answer.indexOf('\r\n\r\n') + 4)));
      } catch (error) {
        reject(error);
      }
    });
    socket.write(`${method} ${url.pathname}${url.search} HTTP/1.0\r\n${head.join('')}\r\n`, 'latin1');
    socket.write(text);
  });
}

async function connect({ hostname, port, protocol }) {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (protocol !== 'https:') return net.connect({ host, port: Number(port || 80) });
  const tls = await import('node:tls');
  return tls.connect({ host, port: Number(port || 443), servername: net.isIP(host) ? '' : host });
}

function toBodyHeaders(text) {
  return { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
}

/** Of two secrets, each on a line, the first is the one to send; headers are written as latin1. */
function secretHeader() {
  const { BUS_WRITE_SECRET, BUS_WRITE_SECRET_FILE } = process.env;
  const text = BUS_WRITE_SECRET || (BUS_WRITE_SECRET_FILE && readFileSync(BUS_WRITE_SECRET_FILE, 'utf8'));
  return text ? { 'x-bus-secret': Buffer.from(text.split(/\r?\n/)[0]).toString('latin1') } : {};
}
