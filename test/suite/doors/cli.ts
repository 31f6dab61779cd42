import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { contract, type OperationName } from '../../../src/contract/contract.ts';
import { BusError, BusUnreachableError } from '../../../src/contract/errors.ts';
import { toKebabCase } from '../../../src/contract/names.ts';
import { commandFile } from '../../build.ts';
import { type CallParts, type Door, offeredAt, toBus } from './door.ts';
import { listen } from './http.ts';
import { repository, toUnqualified } from './unqualified.ts';

/** The command as it ships, one process for each call, before a bus over HTTP. */
export const cliDoor: Door = {
  name: 'the command line',
  offers: offeredAt('cli', ['signal', 'idempotencyKey', 'strictInput', 'wholeStatus']),
  async open(bus) {
    const { baseUrl, close } = await listen(toUnqualified(bus));
    return { bus: toBus((name, input, call) => run({ baseUrl, name, input, call })), close };
  },
};

type Asked = Readonly<{ baseUrl: string; name: OperationName; input: object; call: CallParts }>;

async function run({ baseUrl, name, input, call }: Asked): Promise<object> {
  const { flags, operands, inputText } = toTyped(name, { ...input });
  if (call.idempotencyKey !== undefined) flags.push(`--idempotency-key=${call.idempotencyKey}`);
  const child = spawn(
    process.execPath,
    [commandFile, toKebabCase(name), ...flags, '--json', '--', ...operands],
    { env: { PATH: process.env.PATH ?? '', BUS_MCP_BASE_URL: baseUrl, BUS_MCP_REPOSITORY: repository } },
  );
  const goAway = () => child.kill();
  call.signal?.addEventListener('abort', goAway);
  child.stdin.on('error', () => {});
  child.stdin.end(inputText);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const [output, remarks, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  call.signal?.removeEventListener('abort', goAway);
  call.signal?.throwIfAborted();
  return toAnswer(output, remarks, status);
}

/** The input as a person types it; the text of an append goes in through a pipe, as from another program. */
function toTyped(name: OperationName, input: Record<string, unknown>) {
  const { positionalFields, effect } = contract[name] as Readonly<{
    positionalFields: readonly string[];
    effect: string;
  }>;
  const piped = effect === 'append' ? positionalFields.at(-1) : undefined;
  const inputText = piped === undefined ? '' : `${input[piped]}\n`;
  const operands = positionalFields
    .filter((field) => input[field] !== undefined)
    .flatMap((field) => (field === piped ? ['-'] : [input[field]].flat().map(String)));
  const flags = Object.entries(input)
    .filter(([field, value]) => !positionalFields.includes(field) && value !== undefined)
    .flatMap(([field, value]) => toFlags(toKebabCase(field), value));
  return { flags, operands, inputText };
}

function toFlags(flag: string, value: unknown): readonly string[] {
  if (typeof value === 'boolean') return [`--${value ? '' : 'no-'}${flag}`];
  const items = Array.isArray(value) ? (value.length === 0 ? [''] : value) : [value];
  return items.map((item) => `--${flag}=${item}`);
}

type Failed = Readonly<{
  ok: false;
  error: Readonly<{
    type: string;
    message: string;
    status_code?: number;
    code?: string;
    data?: Readonly<Record<string, unknown>>;
    url?: string;
  }>;
}>;

/** The one line that was printed, as the answer or the error it tells of; the exit status must say the same. */
function toAnswer(output: string, remarks: string, status: unknown): object {
  if (!output.trim()) throw new Error(`status ${status}, and nothing printed but: ${remarks}`);
  const printed = JSON.parse(output) as object | Failed;
  if (!('error' in printed)) {
    if (status !== 0) throw new Error(`status ${status} with the answer ${output}`);
    return printed;
  }
  const { type, message, status_code: answered, code, data, url = '' } = printed.error;
  const expected = type === 'bus_unreachable' ? 3 : code === 'invalid_input' ? 2 : 1;
  if (status !== expected) throw new Error(`status ${status} instead of ${expected} with ${output}`);
  if (type === 'bus_unreachable') return Promise.reject(new BusUnreachableError(message, url));
  throw new BusError({ status: answered ?? 422, detail: message, code, data });
}
