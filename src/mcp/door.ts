import { createHash } from 'node:crypto';
import { agentHeader, fromAgentHeader } from '../contract/agent-header.ts';
import { type Bus, type Call, operations } from '../contract/contract.ts';
import { waitSecondsOf } from '../contract/input.ts';
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
      const agent = fromAgentHeader(header(agentHeader));
      return createMcpServer({
        bus: guardBus(bus, { agent, checkWrite, checkRead: checkRoom, comeForward }),
        version,
        identity: toIdentity(agent),
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
  const id = fromAgentHeader(header(agentHeader));
  if (id === undefined) return undefined;
  const digest = createHash('sha256').update(readSecret(header) ?? '');
  return JSON.stringify([id, digest.digest('base64')]);
}

function toIdentity(agent: string | undefined) {
  return agent === undefined ? undefined : createFixedIdentity(agent);
}

/** The header of the bus, or the one that MCP clients have a setting for. */
function readSecret(header: ReadHeader): string | undefined {
  const [, bearer] = /^bearer +(.*\S) *$/i.exec(String(header('authorization') ?? '')) ?? [];
  return header('x-bus-secret')?.toString() ?? bearer;
}

type Guard = Readonly<{
  agent: string | undefined;
  checkWrite: () => void;
  checkRead: () => void;
  comeForward: () => Promise<void>;
}>;

function guardBus(bus: Bus, { agent, checkWrite, checkRead, comeForward }: Guard): Bus {
  const entries = operations.map(([name, operation]) => {
    const operate = (input: unknown, call?: Call) =>
      (bus[name] as (input: unknown, call: Call) => Promise<unknown>)(input, { agent, ...call });
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
