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
    /** Throws a refusal unless this is the bus's write secret. */
    checkSecret: (given: string | undefined) => void;
    /** Throws a refusal when there is no room for another response to a read. */
    checkRoom: () => void;
  }>;

const agentHeader = 'x-bus-agent';

/**
 * The bus as an MCP server over HTTP, in the bus's own process.
 *
 * Reading is open to everyone, as on the other routes. A write without the secret is a failed call and not a refused
 * request: after a 401, clients would look for a way to log in.
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
 * Whose calls this caller may cancel: those with the same agent id and the same secret, because an agent id is not
 * secret. A caller without an id may cancel none.
 */
function toCaller(header: ReadHeader): string | undefined {
  const id = readAgentId(header);
  if (id === undefined) return undefined;
  const digest = createHash('sha256').update(readSecret(header) ?? '');
  return JSON.stringify([id, digest.digest('base64')]);
}

/** The calling agent, if the client is set up to name it. */
function readAgentId(read: ReadHeader): string | undefined {
  const header = read(agentHeader);
  if (header === undefined) return undefined;
  // Node reads headers as latin1, so this restores the bytes that were sent.
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
 * Lets callers that one post has woken continue one after the other. If all continued at once, they would build all
 * their responses before the first is sent, and the check for room would come too late.
 */
function createSingleFile(): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    const before = last;
    last = before.then(() => new Promise((resolve) => setImmediate(resolve)));
    return before;
  };
}
