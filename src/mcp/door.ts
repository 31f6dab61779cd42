import { createHash } from 'node:crypto';
import { type Bus, type Call, operations } from '../contract/contract.ts';
import { agentId } from '../contract/fields.ts';
import { toInvalidInput, waitSecondsOf } from '../contract/input.ts';
import { isWrite } from '../contract/operation.ts';
import { createMcpHttp, type McpHttp, type McpHttpOptions } from './http.ts';
import { createFixedIdentity } from './identity.ts';
import { createMcpServer } from './server.ts';
import { createWatcher } from './watcher.ts';

export type McpDoorOptions = Pick<McpHttpOptions, 'readBody' | 'log'> &
  Readonly<{
    bus: Bus;
    version: string;
    /** Throws the refusal unless this is the write secret of the bus. */
    checkSecret: (given: string | undefined) => void;
    /** Throws the refusal while there is no room for one more answer to a read. */
    checkRoom: () => void;
  }>;

const agentHeader = 'x-bus-agent';

/**
 * The bus as an MCP server over HTTP, in the process of the bus.
 *
 * Reading is open to all, as it is on the other routes. A write without the secret is a call that failed, not a
 * request that was refused: on a 401 clients would look for somebody to log in to.
 */
export function createMcpDoor(options: McpDoorOptions): McpHttp {
  const { bus, version, checkSecret, checkRoom, readBody, log } = options;
  const comeForward = createSingleFile();
  return createMcpHttp({
    readBody,
    log,
    admit: (request) => toCaller((name) => request.headers[name]),
    createWatcher: (onUpdated) => createWatcher({ bus, onUpdated, log }),
    createServer: ({ era, headers, watcher }) => {
      const header: ReadHeader = (name) => headers.get(name) ?? undefined;
      const checkWrite = () => checkSecret(readSecret(header));
      return createMcpServer({
        bus: guardBus(bus, { checkWrite, checkRead: checkRoom, comeForward }),
        version,
        identity: toIdentity(readAgentId(header)),
        era,
        watcher: era === 'modern' ? watcher : undefined,
        log,
      });
    },
  });
}

type ReadHeader = (name: string) => string | string[] | undefined;

/**
 * Whose calls this one may end: those of its agent that came with the same secret, because an agent id is no secret.
 * Whoever says no id may end none.
 */
function toCaller(header: ReadHeader): string | undefined {
  const id = readAgentId(header);
  if (id === undefined) return undefined;
  const digest = createHash('sha256').update(readSecret(header) ?? '');
  return JSON.stringify([id, digest.digest('base64')]);
}

/** Who calls, if the client was set up to say it. */
function readAgentId(read: ReadHeader): string | undefined {
  const header = read(agentHeader);
  if (header === undefined) return undefined;
  // Node reads header bytes as latin1, so this gives back the bytes that were sent.
  const given = Buffer.from(String(header), 'latin1').toString('utf8');
  if (agentId.safeParse(given).success && !given.includes('\ufffd')) return given;
  throw toInvalidInput([
    { field: agentHeader, message: 'must be an agent id of 1 to 200 characters in UTF-8' },
  ]);
}

function toIdentity(agent: string | undefined) {
  return agent === undefined ? undefined : createFixedIdentity(agent);
}

/** The header of the bus, or the one that MCP clients have a setting for. */
function readSecret(header: ReadHeader): string | undefined {
  const [, bearer] = /^bearer +(.*\S) *$/i.exec(String(header('authorization') ?? '')) ?? [];
  return header('x-bus-secret')?.toString() ?? bearer;
}

type Guard = Readonly<{ checkWrite: () => void; checkRead: () => void; comeForward: () => Promise<void> }>;

function guardBus(bus: Bus, { checkWrite, checkRead, comeForward }: Guard): Bus {
  const entries = operations.map(([name, operation]) => {
    const operate = bus[name] as (input: unknown, call?: Call) => Promise<unknown>;
    const write = async (input: unknown, call?: Call) => {
      checkWrite();
      return operate(input, call);
    };
    const read = async (input: unknown, call?: Call) => {
      checkRead();
      const answer = await operate(input, call);
      if (waitSecondsOf(input) === 0) return answer;
      await comeForward();
      checkRead();
      return answer;
    };
    return [name, isWrite(operation) ? write : read];
  });
  return Object.fromEntries(entries) as Bus;
}

/**
 * Lets those who were woken by the same post go on one after the other. All at once they would make all their answers
 * before the first is sent, and nobody would have seen that there is no room for so many.
 */
function createSingleFile(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    const before = last;
    last = before.then(() => new Promise((resolve) => setImmediate(resolve)));
    return before;
  };
}
