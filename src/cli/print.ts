import type { OperationName } from '../contract/contract.ts';
import { toEventLine } from './event-line.ts';
import { type Row, toLaneLines, toMessageLines, toRemaining, toRows, toText, toWaiterLines } from './rows.ts';
import { toStatusLines } from './status-lines.ts';

/** What the bus answered, for people: short lines and tables. Programs read `--json`. */
export function printAnswer(name: OperationName, answer: Row, now = new Date()): string {
  const printer = printers[name] ?? toFieldLines;
  return printer(answer, now).join('\n');
}

type Printer = (answer: Row, now: Date) => readonly string[];

/** Operations that are not here are printed field by field. */
const printers: Readonly<Partial<Record<OperationName, Printer>>> = {
  postMessage: (message) => [`posted #${toText(message.id)} to ${toText(message.topic)}`],
  readMessages: toMessagePageLines,
  claimLane: toGrantLines,
  heartbeatLane: toGrantLines,
  releaseLane: (answer) => [
    answer.decision === 'free'
      ? `lane ${toText(answer.lane)} was free already`
      : `released lane ${toText(answer.lane)}`,
  ],
  getBusStatus: toStatusLines,
  listLanes: toLanePageLines,
  getLane: toLaneStateLines,
  readEvents: (answer, now) => [
    ...toRows(answer.events).map((event) => toEventLine(event, now)),
    ...toCursorLines(answer, '--since'),
  ],
  acknowledgeFlag: (message) => [`acknowledged #${toText(message.id)} by ${toText(message.acknowledged_by)}`],
};

const decisionWords: Readonly<Record<string, string>> = {
  claim: 'claimed',
  steal: 'took over the expired',
  renew: 'renewed',
  heartbeat: 'renewed',
};

function toGrantLines(answer: Row): readonly string[] {
  const [lane = {}] = toRows([answer.lane]);
  const word = decisionWords[toText(answer.decision)] ?? toText(answer.decision);
  const terms = [
    `lease ${toText(answer.lease_s)}s`,
    ...(lane.fence === undefined ? [] : [`fence ${toText(lane.fence)}`]),
  ];
  return [`${word} lane ${toText(lane.lane)} as ${toText(lane.owner)} (${terms.join(', ')})`];
}

function toMessagePageLines(answer: Row, now: Date): readonly string[] {
  const messages = toRows(answer.messages);
  return [
    ...(messages.length === 0
      ? ['no messages']
      : messages.flatMap((message) => toMessageLines(message, now))),
    ...toCursorLines(answer, '--since-id'),
  ];
}

function toCursorLines(answer: Row, flag: string): readonly string[] {
  if (answer.cursor === undefined) return [];
  const more = answer.has_more === true ? ', and there are more' : '';
  return [`(read on with ${flag} ${toText(answer.cursor)}${more})`];
}

function toLanePageLines(answer: Row): readonly string[] {
  const lanes = toRows(answer.lanes);
  if (lanes.length === 0) return ['no lanes'];
  const more = answer.has_more === true ? [`(more with --after ${toText(lanes.at(-1)?.lane)})`] : [];
  return [...toLaneLines(lanes), ...more];
}

function toLaneStateLines(answer: Row, now: Date): readonly string[] {
  const [lane = {}] = toRows([answer.lane]);
  const waiters = toRows(answer.waiting);
  const holder = lane.owner === undefined ? '' : ` by ${toText(lane.owner)}, ${toLeaseText(answer, lane)}`;
  return [
    `lane ${toText(lane.lane)} is ${toText(answer.state)}${holder} (fence ${toText(answer.fence)})`,
    ...(waiters.length === 0 ? [] : toWaiterLines(waiters, now)),
  ];
}

function toLeaseText(answer: Row, lane: Row): string {
  return answer.state === 'held' ? `${toRemaining(lane)} left` : toRemaining(lane);
}

function toFieldLines(answer: Row): readonly string[] {
  return Object.entries(answer).map(([field, value]) => `${toText(field)}: ${toText(value)}`);
}
