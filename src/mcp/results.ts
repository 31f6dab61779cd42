import type { CallToolResult } from '@modelcontextprotocol/server';
import { BusError, BusUnreachableError } from '../contract/errors.ts';
import { replaceHiddenInText, toVisibleJson } from '../contract/hidden.ts';
import { type InputIssue, toSentence } from '../contract/input.ts';

/** What a result contains besides the bus's response; undefined values are left out. */
export type ResultExtras = Readonly<{
  /** The id of the caller, which it is told once. */
  you?: string | undefined;
  /** Other live sessions that act under the same id: they hold each other's lanes. */
  shared_with?: unknown;
  /** Whether this server renews the lease that was granted. */
  keep_alive?: boolean | undefined;
  /** How to go on. */
  note?: string | undefined;
  /** Lanes granted after the client may have given up on the claim. */
  granted_meanwhile?: readonly string[] | undefined;
  /** Lanes that this server was keeping but lost. */
  lost_lanes?: readonly string[] | undefined;
}>;

type Failure = Readonly<{
  type: 'bus_unreachable' | 'bus_api_error' | 'invalid_arguments';
  message: string;
}> &
  Readonly<Record<string, unknown>>;

/** The bus's response in full. The client has already checked that it is a success. */
export function toSuccess(
  { ok: _, ...answer }: Readonly<Record<string, unknown>>,
  extras: ResultExtras,
): CallToolResult {
  // A note of the answer, such as how to read the rest of it, stands beside one of this server.
  const notes = [answer.note, extras.note].filter((note) => typeof note === 'string');
  const note = notes.length > 1 ? { note: notes.join('; ') } : {};
  return toResult({ ok: true, ...answer, ...withoutUndefined(extras), ...note });
}

/** A typed error. For an unexpected failure the caller only learns that it happened. */
export function toFailure(toolName: string, error: unknown, extras: ResultExtras): CallToolResult {
  return toErrorResult(toolName, toFailureOf(error), extras);
}

export function toInvalidArguments(
  toolName: string,
  issues: readonly InputIssue[],
  extras: ResultExtras,
): CallToolResult {
  return toErrorResult(toolName, { type: 'invalid_arguments', message: toSentence(issues), issues }, extras);
}

/** The result for a tool that exists but that this server was told to leave out. */
export function toNotOffered(toolName: string, reason: string): CallToolResult {
  return toErrorResult(toolName, { type: 'invalid_arguments', message: reason }, {});
}

export function isForeseen(error: unknown): boolean {
  return error instanceof BusError || error instanceof BusUnreachableError;
}

function toFailureOf(error: unknown): Failure {
  if (error instanceof BusUnreachableError) {
    return { type: 'bus_unreachable', message: error.message, url: error.url };
  }
  if (error instanceof BusError) {
    const { status, detail, code, data } = error;
    return { type: 'bus_api_error', message: detail, status_code: status, code, data };
  }
  return {
    type: 'bus_api_error',
    message:
      'the call failed in a way nobody foresaw: repeat it once, and if it fails again look into the log of this MCP server',
    code: 'internal',
  };
}

function toErrorResult(toolName: string, failure: Failure, extras: ResultExtras): CallToolResult {
  const { type, message, ...more } = failure;
  const error = {
    type,
    message: `[${toolName}] ${toVisibleSentence(message)}`,
    tool: toolName,
    ...withoutUndefined(more),
  };
  return { ...toResult({ ok: false, error, ...withoutUndefined(extras) }), isError: true };
}

/** A sentence may quote the id of a peer, and no id may break a line of it or hide in it. */
function toVisibleSentence(sentence: string): string {
  return replaceHiddenInText(sentence, toSign).replace(/[\t\n]/g, toSign);
}

function toSign(sign: string): string {
  return `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`;
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/**
 * One object, given in both forms, because clients differ in which one they show to the model. The texts in it come
 * from peers, and a terminal may display them.
 */
function toResult(content: Readonly<Record<string, unknown>>): CallToolResult {
  const text = toVisibleJson(JSON.stringify(content));
  return { structuredContent: content, content: [{ type: 'text', text }] };
}
