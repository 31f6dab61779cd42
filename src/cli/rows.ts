import { toDurationText } from './duration.ts';
import { toClockTime, toDuration, toTable } from './table.ts';
import { toVisible, toVisibleName } from './visible.ts';

/** A row of an answer. Buses of other versions leave fields out and add some, so nothing about it is certain. */
export type Row = Readonly<Record<string, unknown>>;

/** The rows under a name in an answer; none when the bus does not send them. */
export function toRows(value: unknown): readonly Row[] {
  return Array.isArray(value) ? value.filter((row) => typeof row === 'object' && row !== null) : [];
}

/** A name or a value of an answer on one line, with all that is hidden shown; nothing for a value that is absent. */
export function toText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return toVisibleName(typeof value === 'string' ? value : JSON.stringify(value));
}

/**
 * A message for people: a line that says who and where, and the body below it. With `bodyLinesMax` a longer body ends
 * there, and the command that shows all of it follows.
 */
export function toMessageLines(message: Row, now: Date, bodyLinesMax = Number.POSITIVE_INFINITY): string[] {
  const { id, ts, topic, sender } = message;
  const heading = [
    id === undefined ? '' : `#${toText(id)}`,
    ts === undefined ? '' : toClockTime(ts, now),
    toText(topic),
    toText(sender),
  ];
  const line = `${heading.filter((part) => part !== '').join('  ')}${toFlagMark(message)}`;
  return [...(line === '' ? [] : [line]), ...toFoldedLines(message, bodyLinesMax)];
}

/** A line may be as long as a body, so it is cut too. */
function toFoldedLines(message: Row, linesMax: number): string[] {
  const lines = toBodyLines(message);
  if (linesMax === Number.POSITIVE_INFINITY) return lines;
  const folded = lines.slice(0, linesMax).map(cutLine);
  const isWhole = folded.length === lines.length && folded.every((line, index) => line === lines[index]);
  const { id } = message;
  if (isWhole) return lines;
  const command = typeof id === 'number' ? `: bus-mcp read --before ${id + 1} --limit 1` : '';
  return [...folded, `    … there is more${command}`];
}

function cutLine(line: string): string {
  const characters = [...line];
  return characters.length > lineCharactersMax ? `${characters.slice(0, lineCharactersMax).join('')}…` : line;
}

const lineCharactersMax = 200;

function toBodyLines({ body }: Row): string[] {
  if (typeof body !== 'string') return [];
  return toVisible(body.replaceAll('\r\n', '\n'), { keepLines: true })
    .split('\n')
    .map((line) => `    ${line}`.trimEnd());
}

/** Says that a person must act, or who has taken it on. */
function toFlagMark(message: Row): string {
  if (message.acknowledged_by !== undefined) return `  ⚑ acknowledged by ${toText(message.acknowledged_by)}`;
  return message.action_flag === true ? '  ⚑ needs a person' : '';
}

/** A table of lanes with who holds each, for how long still, and under which fence. */
export function toLaneLines(lanes: readonly Row[]): string[] {
  return toTable(
    ['LANE', 'OWNER', 'EXPIRES IN', 'FENCE'],
    lanes.map((lane) => [toText(lane.lane), toText(lane.owner), toRemaining(lane), toText(lane.fence)]),
  );
}

/** A table of those who wait for lanes. */
export function toWaiterLines(waiters: readonly Row[], now: Date): string[] {
  return toTable(
    ['LANE', 'PLACE', 'OWNER', 'SINCE'],
    waiters.map((waiter) => [
      toText(waiter.lane),
      toText(waiter.place),
      toText(waiter.owner),
      toClockTime(waiter.since, now),
    ]),
  );
}

/** How long a lease lasts, as people type it: `5m`. */
export function toLeaseLength(seconds: unknown): string {
  return typeof seconds === 'number' ? toDurationText(seconds) : toText(seconds);
}

/** How long a lease has still to run, by the clock of the bus. */
export function toRemaining(lane: Row): string {
  const seconds = lane.expires_in_s;
  // A bus without remaining seconds leaves the timestamp only, which the clock of this machine would misread.
  if (typeof seconds !== 'number') return toText(lane.expires_at);
  if (seconds > 0) return toDuration(seconds);
  return seconds < 0 ? `expired ${toDuration(-seconds)} ago` : 'expired';
}
