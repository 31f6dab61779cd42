import type { OperationName } from '../contract/contract.ts';
import { toEventLine } from './event-line.ts';
import {
  type Row,
  toLaneLines,
  toLeaseLength,
  toMessageLines,
  toOtherFields,
  toRemaining,
  toRows,
  toText,
  toWaiterLines,
} from './rows.ts';
import { toStatusLines } from './status-lines.ts';

/** Prints a result for people: short lines and tables. Programs use `--json`. */
export function printAnswer(
  name: OperationName,
  answer: Row,
  now = new Date(),
  /** The input of the call, for hints on how to go on. */
  input: Row = {},
): string {
  // An empty result only says that the bus did it.
  if (Object.keys(answer).every((field) => field === 'ok')) return 'done';
  const printer = printers[name] ?? toFieldLines;
  return printer(answer, now, input).join('\n');
}

type Printer = (answer: Row, now: Date, input: Row) => readonly string[];

/** Results of other operations are printed field by field. */
const printers: Readonly<Partial<Record<OperationName, Printer>>> = {
  postMessage: ({ id, topic }) => [toLine('posted', said('#', id), said('to ', topic))],
  readMessages: toMessagePageLines,
  claimLane: toGrantLines,
  heartbeatLane: toGrantLines,
  releaseLane: (answer) => {
    const lane = said('lane ', laneOf(answer).lane);
    if (answer.decision !== 'free') return [toLine('released', lane)];
    return [toLine(lane, lane && 'was', 'free already')];
  },
  getBusStatus: toStatusLines,
  listLanes: toLanePageLines,
  getLane: toLaneStateLines,
  readEvents: (answer, now) => [
    ...toRows(answer.events).map((event) => toEventLine(event, now)),
    ...toCursorLines(answer, toRows(answer.events)),
  ],
  acknowledgeFlag: ({ id, acknowledged_by }) => [
    toLine('acknowledged', said('#', id), said('by ', acknowledged_by)),
  ],
};

/** Joins the words that are present; a bus of another version may leave some out. */
function toLine(...words: readonly string[]): string {
  return words.filter((word) => word !== '').join(' ');
}

/** A value with its label; an empty text when the value is absent. */
function said(word: string, value: unknown): string {
  const text = toText(value);
  return text === '' ? '' : `${word}${text}`;
}

/** Some results contain the lane, others only its name. */
function laneOf({ lane }: Row): Row {
  return typeof lane === 'string' ? { lane } : (toRows([lane])[0] ?? {});
}

const decisionWords: Readonly<Record<string, string>> = {
  claim: 'claimed',
  steal: 'took over the expired',
  renew: 'renewed',
  heartbeat: 'renewed',
};

function toGrantLines(answer: Row): readonly string[] {
  const { lane, owner, fence } = laneOf(answer);
  const decision = toText(answer.decision);
  const lease = answer.lease_s === undefined ? '' : `lease ${toLeaseLength(answer.lease_s)}`;
  const terms = [lease, said('fence ', fence)].filter((term) => term !== '').join(', ');
  const word = decisionWords[decision] ?? (decision || 'granted');
  return [toLine(word, said('lane ', lane), said('as ', owner), terms && `(${terms})`)];
}

function toMessagePageLines(answer: Row, now: Date, input: Row): readonly string[] {
  const messages = toRows(answer.messages);
  const lines = messages.flatMap((message) => toMessageLines(message, now));
  const hints =
    input.since_id === undefined ? toPageHints(answer, messages, input) : toCursorLines(answer, messages);
  return [...(messages.length === 0 ? ['no messages'] : lines), ...hints];
}

/** A page of the newest rows continues in two directions: back to older rows, and on to rows still to come. */
function toPageHints(answer: Row, messages: readonly Row[], input: Row): readonly string[] {
  const oldest = messages.at(-1)?.id;
  const isNewest = input.before_id === undefined;
  const hints = [
    ...(answer.has_more === true && oldest !== undefined
      ? [`older ones with --before ${toText(oldest)}`]
      : []),
    ...(isNewest && answer.cursor !== undefined ? [`newer ones with --since ${toText(answer.cursor)}`] : []),
  ];
  return hints.length === 0 ? [] : [`(${hints.join(', ')})`];
}

/** A page after a cursor continues after its last row. */
function toCursorLines(answer: Row, rows: readonly Row[]): readonly string[] {
  if (answer.cursor === undefined) return [];
  const more = answer.has_more === true && rows.length > 0 ? ', and there are more' : '';
  return [`(read on with --since ${toText(answer.cursor)}${more})`];
}

function toLanePageLines(answer: Row, now: Date): readonly string[] {
  const lanes = toRows(answer.lanes);
  if (lanes.length === 0) return ['no lanes'];
  const more = answer.has_more === true ? [`(more with --after ${toText(lanes.at(-1)?.lane)})`] : [];
  return [...toLaneLines(lanes, now), ...more];
}

function toLaneStateLines(answer: Row, now: Date): readonly string[] {
  const lane = laneOf(answer);
  const waiters = toRows(answer.waiting);
  const holder = [said('by ', lane.owner), lane.owner === undefined ? '' : toLeaseText(answer, lane)];
  const held = holder.filter((part) => part !== '').join(', ');
  const others = toOtherFields(lane, ['lane', 'owner', 'expires_in_s', 'expires_at', 'fence'], now);
  const terms = [said('fence ', answer.fence), ...others].filter((term) => term !== '').join(', ');
  return [
    toLine('lane', toText(lane.lane), said('is ', answer.state), held, terms && `(${terms})`),
    ...(waiters.length === 0 ? [] : toWaiterLines(waiters, now)),
  ];
}

function toLeaseText(answer: Row, lane: Row): string {
  const remaining = toRemaining(lane);
  return answer.state === 'held' && remaining !== '' ? `${remaining} left` : remaining;
}

function toFieldLines(answer: Row): readonly string[] {
  return Object.entries(answer).map(([field, value]) => `${toText(field)}: ${toText(value)}`);
}
