import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { lacksPath, toShownUrl, withBasePath } from '../contract/base-url.ts';
import { withoutByteOrderMark } from '../contract/byte-order-mark.ts';
import { readAddress } from '../daemon/address.ts';
import { identityPath, isProof } from '../daemon/identity.ts';
import { toPlace } from '../daemon/place.ts';
import { type Answer, call, StatusError } from './call.ts';
import { dataFolder } from './session.ts';

export { type Answer, StatusError };

/** The few calls that the hooks make. */
export type HookBus = Readonly<{
  /** Its address for display. */
  shownUrl: string;
  get(path: string): Promise<Answer>;
  post(path: string, body: object): Promise<Answer>;
  /** Asks with a body; it changes nothing, so it carries no secret. */
  ask(path: string, body: object): Promise<Answer>;
}>;

/** Whatever goes wrong, and however long it takes: the session must go on as if there were no hook. */
export function endWithin(milliseconds: number): void {
  const end = () => process.exit(0);
  process.on('uncaughtException', end);
  setTimeout(end, milliseconds);
}

/**
 * Finds the bus that the session's MCP server uses: the configured one, or else the local one. Throws when there is
 * none.
 */
export function findBus(): HookBus {
  const { BUS_MCP_AUTOSTART = '', BUS_MCP_BASE_URL, BUS_STORE } = process.env;
  if (BUS_MCP_BASE_URL) return toBus({ url: BUS_MCP_BASE_URL.split(',')[0]?.trim() ?? '', hasSecret: true });
  const store = BUS_STORE || `${dataFolder()}/bus.db`;
  const address = readAddress(toPlace({ store, dataFolder: dataFolder() }).addressFile);
  if (address) return toBus({ url: address.baseUrl, token: address.token, hasSecret: true });
  const startsNothing = /^(0|false|no|off)$/i.test(BUS_MCP_AUTOSTART.trim());
  // If a store is configured, use its bus and no other.
  if (BUS_STORE || !startsNothing) throw new Error('no bus runs here');
  // A server that must not start a bus calls the default address. It sends no secret there, because whoever listens
  // proves nothing.
  return toBus({ url: 'http://127.0.0.1:8100/api/bus', hasSecret: false });
}

type Found = Readonly<{
  url: string;
  /** Set for the local bus: another program may have come to listen on its port. */
  token?: string;
  hasSecret: boolean;
}>;

/** Reads carry no secret and start at once. Nothing is believed or written before the proof is checked. */
function toBus({ url, token, hasSecret }: Found): HookBus {
  const given = new URL(url);
  const base = lacksPath(given) ? withBasePath(given) : given;
  const proved = token === undefined ? Promise.resolve() : prove(base, token);
  // If a hook fails before it checks the proof, its own error counts.
  proved.catch(() => {});
  const toUrl = (path: string) => new URL(base.href.replace(/\/+$/, '') + path);
  return {
    shownUrl: toShownUrl(base.href),
    async get(path) {
      const [answer] = await Promise.all([call(toUrl(path)), proved]);
      return answer;
    },
    async ask(path, body) {
      await proved;
      return call(toUrl(path), { body, secret: undefined });
    },
    async post(path, body) {
      await proved;
      return call(toUrl(path), { body, secret: hasSecret ? readSecret() : undefined });
    },
  };
}

async function prove(base: URL, token: string): Promise<void> {
  const challenge = randomUUID();
  const { proof } = await call(new URL(`${identityPath}?challenge=${challenge}`, base));
  if (!isProof(proof, token, challenge)) throw new Error('a stranger listens where the bus was');
}

/** If there are two secrets, one per line, the first is the one to send. */
function readSecret(): string | undefined {
  const { BUS_WRITE_SECRET, BUS_WRITE_SECRET_FILE } = process.env;
  const text = BUS_WRITE_SECRET || (BUS_WRITE_SECRET_FILE && readFileSync(BUS_WRITE_SECRET_FILE, 'utf8'));
  return text ? withoutByteOrderMark(text).split(/\r?\n/)[0] : undefined;
}
