// The few calls that the hooks make. No dependency, and nothing that takes long to load: a hook holds up its client.
import { createHmac, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dataFolder } from './session.mjs';

/** Whatever goes wrong, and however long it would take: the session goes on as if there were no hook. */
export function endWithin(milliseconds) {
  const end = () => process.exit(0);
  process.on('uncaughtException', end);
  process.stdout.on('error', end);
  setTimeout(end, milliseconds);
}

/** The bus that the MCP server of the session uses: the one it was told, else the local one. Rejects when none is up. */
export async function findBus() {
  const { BUS_MCP_AUTOSTART = '', BUS_MCP_BASE_URL } = process.env;
  if (BUS_MCP_BASE_URL) return toBus(BUS_MCP_BASE_URL);
  try {
    return await findLocalBus();
  } catch (error) {
    // A server that may start none calls the usual address where it finds none.
    if (!/^(0|false|no|off)$/i.test(BUS_MCP_AUTOSTART.trim())) throw error;
    return toBus('http://127.0.0.1:8100/api/bus');
  }
}

async function findLocalBus() {
  const store = process.env.BUS_STORE || `${dataFolder()}/bus.db`;
  const { baseUrl, token } = JSON.parse(readFileSync(`${store}.address`, 'utf8'));
  const challenge = randomUUID();
  const { proof } = await call('GET', new URL(`/identity?challenge=${challenge}`, baseUrl));
  // Another program may have come to listen where the bus was; it must not see the secret, and its digest would be a lie.
  if (proof === createHmac('sha256', token).update(challenge).digest('hex')) return toBus(baseUrl);
  throw new Error('a stranger listens where the bus was');
}

function toBus(givenUrl) {
  const baseUrl = givenUrl.replace(/\/+$/, '');
  return {
    baseUrl,
    get: (path) => call('GET', new URL(baseUrl + path)),
    post: (path, body) => call('POST', new URL(baseUrl + path), body),
  };
}

async function call(method, url, body) {
  const { request } = await import(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const headers = { accept: 'application/json' };
  if (body !== undefined) Object.assign(headers, { 'content-type': 'application/json' }, secretHeader());
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, async (answer) => {
      try {
        const parts = [];
        for await (const part of answer) parts.push(part);
        const value = JSON.parse(Buffer.concat(parts).toString('utf8'));
        if (answer.statusCode === 200) resolve(value);
        else reject(new Error(`status ${answer.statusCode}`));
      } catch (error) {
        reject(error);
      }
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Of two secrets, each on a line, the first is the one to send; headers are written as latin1. */
function secretHeader() {
  const { BUS_WRITE_SECRET, BUS_WRITE_SECRET_FILE } = process.env;
  const text = BUS_WRITE_SECRET || (BUS_WRITE_SECRET_FILE && readFileSync(BUS_WRITE_SECRET_FILE, 'utf8'));
  return text ? { 'x-bus-secret': Buffer.from(text.split(/\r?\n/)[0]).toString('latin1') } : {};
}
