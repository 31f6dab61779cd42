import type { CallToolResult } from '@modelcontextprotocol/server';
import type { CallOrigin } from '../client-side/session.ts';
import type { Bus, Call, OperationName } from '../contract/contract.ts';
import { isOfAnotherLog } from '../contract/cursor.ts';
import { checkInput } from '../contract/input.ts';
import { limits } from '../contract/limits.ts';
import { toGrant } from '../lease/grant.ts';
import { toTyped } from './arguments.ts';
import type { Identity } from './identity.ts';
import type { KeepAlive } from './keep-alive.ts';
import { type Member, type MemberNews, nobody } from './member.ts';
import { type ProgressReport, withProgress } from './progress.ts';
import { isForeseen, type ResultExtras, toFailure, toInvalidArguments, toSuccess } from './results.ts';
import type { McpTool } from './tools.ts';

/**
 * Where to write what a caller must not see: a sentence and its cause. Never to stdout, which carries the protocol.
 */
export type Log = (sentence: string, cause?: unknown) => void;

export type ToolCaller = Readonly<{
  bus: Bus;
  identity: Identity | undefined;
  keepAlive: KeepAlive | undefined;
  /** Makes scopes of the paths of a call; absent where nothing is known that they could be relative to. */
  toScopes?: ((given: Given) => Given) | undefined;
  log: Log;
  progressIntervalMilliseconds: number;
}>;

type Given = Readonly<Record<string, unknown>>;

export type ToolCall = Readonly<{
  tool: McpTool;
  given: Given;
  signal: AbortSignal;
  origin: CallOrigin;
  /** Set when the client asked to hear from the call while it waits. */
  report: ProgressReport | undefined;
}>;

/** Runs one tool call. Never rejects: whatever happens becomes a result that the caller can read. */
export async function callTool(caller: ToolCaller, call: ToolCall): Promise<CallToolResult> {
  const { tool, signal } = call;
  const { agentField } = tool.operation;
  const typed = toTyped(tool.input, call.given, caller.identity && agentField);
  const given = caller.toScopes?.(typed) ?? typed;
  const [{ member, failure }, meanwhile] = await Promise.all([
    identify(caller, call),
    caller.keepAlive?.late.hear(),
  ]);
  const extras = (answered: ResultExtras = {}): ResultExtras => ({
    granted_meanwhile: toNonEmpty(meanwhile),
    lost_lanes: signal.aborted ? undefined : toNonEmpty(caller.keepAlive?.takeLost()),
    ...(signal.aborted ? answered : withBothNotes(member.takeNews(), answered)),
  });
  if (failure && agentField !== undefined && given[agentField] === undefined)
    return toFailure(tool.name, failure, extras());
  const input = member.fill(tool, given);
  const checked = checkInput(tool, input);
  if ('issues' in checked) return toInvalidArguments(tool.name, checked.issues, extras());
  try {
    const answer = await runWithProgress(caller, call, input as Arguments);
    member.learn(tool.operationName, input);
    return toSuccess(answer, extras(toRemarks(tool.operationName, input as Arguments, answer)));
  } catch (error) {
    if (!isForeseen(error) && !signal.aborted) caller.log(`a call of ${tool.name} failed unforeseen`, error);
    return toFailure(tool.name, member.explain(error, input), extras());
  }
}

/** Who calls; or why that is not known. Only a call that leaves out who acts fails for it. */
async function identify(
  { identity }: ToolCaller,
  { origin }: ToolCall,
): Promise<Readonly<{ member: Member; failure?: unknown }>> {
  try {
    return { member: (await identity?.identify(origin)) ?? nobody };
  } catch (failure) {
    return { member: nobody, failure };
  }
}

function withBothNotes(news: MemberNews, answered: ResultExtras): ResultExtras {
  const notes = [answered.note, news.note].filter((note) => note !== undefined);
  return { ...answered, ...news, note: notes.length > 0 ? notes.join('; ') : undefined };
}

/** What the schema of the tool let through, as the caller wrote it: an older bus must not be sent our defaults. */
type Arguments = Readonly<Record<string, unknown>> &
  Readonly<{
    lane?: string;
    owner?: string;
    topic?: string;
    lease_s?: number;
    wait_s?: number;
    since_id?: number;
    keep_alive?: boolean;
  }>;

type Answer = Readonly<Record<string, unknown>>;

function toNonEmpty(lanes: readonly string[] = []): readonly string[] | undefined {
  return lanes.length > 0 ? lanes : undefined;
}

function runWithProgress(caller: ToolCaller, call: ToolCall, input: Arguments): Promise<Answer> {
  const run = () => runOnBus(caller, call.tool.operationName, input, call.signal);
  const waitSeconds = input.wait_s ?? 0;
  if (waitSeconds === 0 || !call.report) return run();
  const waitingFor = input.lane ? `lane ${input.lane}` : 'messages';
  const { progressIntervalMilliseconds: intervalMilliseconds } = caller;
  return withProgress({ waitingFor, waitSeconds, intervalMilliseconds, report: call.report }, run);
}

/** Calls the bus, and updates the keep-alive according to what the call does to its lanes. */
async function runOnBus(
  { bus, keepAlive }: ToolCaller,
  name: OperationName,
  given: Arguments,
  signal: AbortSignal,
): Promise<Answer> {
  const { keep_alive: isKept = false, ...input } = given;
  const operate = bus[name] as (input: unknown, call: Call) => Promise<Answer>;
  const run = () => operate(input, { signal });
  if (!keepAlive) return run();

  const { lane = '', owner = '' } = input;
  if (name === 'releaseLane') return keepAlive.whileReleasing(lane, owner, run);
  if (name !== 'claimLane' && name !== 'heartbeatLane') return run();
  // A lease that is renewed automatically can be short. If the session is killed, others then wait only a short
  // time.
  const isShort = isKept || keepAlive.keeps(lane, owner);
  const asked = isShort ? { lease_s: limits.keptLeaseSecondsDefault, ...input } : input;
  const isLate = keepAlive.late.begin();
  const answer = await operate(asked, { signal });
  const { lease_s = limits.leaseSecondsDefault } = asked;
  const grant = toGrant({ lane, owner, lease_s }, answer);
  if (isLate()) keepAlive.late.add({ grant, isKept: isKept || keepAlive.keeps(lane, owner) });
  else if (isKept) keepAlive.keep(grant);
  else keepAlive.renewed(grant);
  return answer;
}

/** What this server has to say about an answer: whether it renews the lease, and how to go on where that does not show. */
function toRemarks(name: OperationName, input: Arguments, answer: Answer): ResultExtras {
  if (name === 'claimLane' && input.keep_alive)
    return { keep_alive: true, note: 'renewed until you release it: heartbeat_lane is not needed' };
  const note = toNote(name, input, answer);
  return note === undefined ? {} : { note };
}

function toNote(name: OperationName, input: Arguments, answer: Answer): string | undefined {
  if (name !== 'readMessages' || !Array.isArray(answer.messages)) return undefined;
  return answer.messages.length === 0 ? toEmptyNote(input, answer) : toOlderNote(input, answer);
}

function toEmptyNote({ since_id = 0, wait_s }: Arguments, { cursor = since_id }: Answer): string | undefined {
  if (isOfAnotherLog(since_id, { cursor }))
    return `there is no message ${since_id} on this bus, whose log is another one; to read it, call again with since_id=${cursor}`;
  if (!wait_s) return undefined;
  return `nothing came in ${wait_s} s; to wait on, call again with since_id=${cursor}`;
}

/** The cursor of the newest page leads to later messages, but the remaining messages come before it. */
function toOlderNote({ since_id }: Arguments, { has_more, messages }: Answer): string | undefined {
  if (since_id !== undefined || has_more !== true) return undefined;
  const oldest = (messages as readonly { id?: unknown }[]).at(-1)?.id;
  return typeof oldest === 'number' ? `older ones: before_id=${oldest}` : undefined;
}
