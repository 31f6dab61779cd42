import { isUtf8 } from 'node:buffer';
import type { Readable, Writable } from 'node:stream';
import { isObject, parseJson } from '../../contract/json.ts';
import type { RawMessage } from '../arguments.ts';

/**
 * The results of the requests that open a session, as JSON text. The real server produced them at build time, and
 * they depend on nothing that is only known later.
 */
export type OpeningAnswers = Readonly<{
  /** By requested protocol version. */
  initialize: Readonly<Record<string, string>>;
  /** By method, for clients of the 2025 versions. */
  legacy: Readonly<Record<string, string>>;
  /** By method, for clients of the 2026 versions. */
  modern: Readonly<Record<string, string>>;
  modernVersion: string;
}>;

export type OpeningOptions = Readonly<{
  answers: OpeningAnswers;
  input: Readable;
  output: Writable;
  signals: Pick<NodeJS.Process, 'on' | 'off'>;
}>;

/** What was said so far, to be passed on to the server that takes over; or `ended` when the client has left. */
export type Opened = readonly RawMessage[] | 'ended';

const restMilliseconds = 250;
/** An opening is short. Longer input is left to the server. */
const bytesMax = 65_536;

/**
 * Handles the opening of a session over stdio before anything else is loaded, because clients make people wait for
 * it.
 *
 * Resolves at the first message that has no prepared response, or when the client pauses. It leaves that message and
 * everything after it in the input.
 */
export function openSession({ answers, input, output, signals }: OpeningOptions): Promise<Opened> {
  return new Promise((resolve) => {
    const answered: RawMessage[] = [];
    let held = Buffer.alloc(0);
    let timer: NodeJS.Timeout | undefined;

    function onData(chunk: Buffer): void {
      held = Buffer.concat([held, chunk]);
      while (answerNext()) {
        timer?.refresh();
        timer ??= setTimeout(handOver, restMilliseconds);
      }
    }

    /** Whether there was a complete message with a prepared response. */
    function answerNext(): boolean {
      const end = held.indexOf('\n');
      if (end < 0 && held.length <= bytesMax) return false;
      const message = parse(held.subarray(0, end));
      const text = message && toAnswer(answers, answered, message);
      if (!message || text === undefined) {
        handOver();
        return false;
      }
      held = held.subarray(end + 1);
      answered.push(message);
      if (text !== '') output.write(text);
      return true;
    }

    function stop(): void {
      clearTimeout(timer);
      input.off('data', onData).off('end', leave).off('error', leave).pause();
      output.off('error', leave);
      for (const signal of stopSignals) signals.off(signal, leave);
    }

    function handOver(): void {
      stop();
      if (held.length > 0) input.unshift(held);
      resolve(answered);
    }

    function leave(): void {
      stop();
      // Write errors no longer matter to anybody.
      output.on('error', () => {});
      resolve('ended');
    }

    for (const signal of stopSignals) signals.on(signal, leave);
    output.on('error', leave);
    input.on('data', onData).on('end', leave).on('error', leave);
  });
}

const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

function parse(line: Buffer): RawMessage | undefined {
  const json = isUtf8(line) ? parseJson(line.toString('utf8')) : undefined;
  return json && 'value' in json && isObject(json.value) ? json.value : undefined;
}

/** The line to send, or an empty text when none is needed. Undefined for anything unusual. */
function toAnswer(
  answers: OpeningAnswers,
  before: readonly RawMessage[],
  message: RawMessage,
): string | undefined {
  const { jsonrpc, id, method, params = {}, ...rest } = message as RawMessage & { jsonrpc?: unknown };
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !isObject(params) || !isEmpty(rest))
    return undefined;
  const wasInitialized = before[0]?.method === 'initialize';
  if (id === undefined) return method === 'notifications/initialized' && wasInitialized ? '' : undefined;
  if (typeof id !== 'string' && !Number.isInteger(id)) return undefined;
  const result = findResult(answers, { method, params, wasInitialized, isFirst: before.length === 0 });
  return result === undefined
    ? undefined
    : `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}\n`;
}

type Asked = Readonly<{
  method: string;
  params: Readonly<Record<string, unknown>>;
  wasInitialized: boolean;
  isFirst: boolean;
}>;

function findResult(answers: OpeningAnswers, asked: Asked): string | undefined {
  const { method, params, wasInitialized, isFirst } = asked;
  if (method === 'initialize') {
    return isFirst && isInitialize(params) ? own(answers.initialize, params.protocolVersion) : undefined;
  }
  const { _meta = {}, ...rest } = params;
  if (!isObject(_meta) || !isEmpty(rest)) return undefined;
  if (wasInitialized) return isPlainMeta(_meta) ? own(answers.legacy, method) : undefined;
  return isModernMeta(_meta, answers.modernVersion) ? own(answers.modern, method) : undefined;
}

function isInitialize(
  params: Readonly<Record<string, unknown>>,
): params is { protocolVersion: string } & Record<string, unknown> {
  const { protocolVersion, capabilities, clientInfo, ...rest } = params;
  const isOrdinary = isEmpty(rest) && isObject(capabilities) && isClientInfo(clientInfo);
  return isOrdinary && typeof protocolVersion === 'string';
}

function isPlainMeta({ progressToken: _, ...rest }: Readonly<Record<string, unknown>>): boolean {
  return isEmpty(rest);
}

function isModernMeta(meta: Readonly<Record<string, unknown>>, version: string): boolean {
  const {
    'io.modelcontextprotocol/protocolVersion': protocolVersion,
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': clientCapabilities,
    ...rest
  } = meta;
  return (
    protocolVersion === version &&
    isObject(clientCapabilities) &&
    (clientInfo === undefined || isClientInfo(clientInfo)) &&
    isPlainMeta(rest)
  );
}

function isClientInfo(value: unknown): boolean {
  return isObject(value) && typeof value.name === 'string' && typeof value.version === 'string';
}

function own(record: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
