import { toDurationText } from './duration.ts';
import { toClockTime, toDuration, toTable } from './table.ts';
import { toVisible, toVisibleName } from './visible.ts';

/** A row of a result. Buses of other versions leave fields out or add some, so any field may be missing. */
export type Row = Readonly<Record<string, unknown>>;

/** The rows under a name in an answer; none when the bus does not send them. */
export function toRows(value: unknown): readonly Row[] {
  return Array.isArray(value) ? value.filter((row) => typeof row === 'object' && row !== null) : [];
}

/** A name or a value on one line, with hidden characters made visible; an empty text when it is absent. */
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
  const told = [...messageFieldsTold, ...(message.acknowledged_by === undefined ? [] : ['acknowledged_at'])];
  const others = toOtherFields(message, told, now);
  const heading = [
    id === undefined ? '' : `#${toText(id)}`,
    ts === undefined ? '' : toClockTime(ts, now),
    toText(topic),
    toText(sender),
    toFlagMark(message, now),
    others.length === 0 ? '' : `(${others.join(', ')})`,
  ];
  const line = heading.filter((part) => part !== '').join('  ');
  return [...(line === '' ? [] : [line]), ...toFoldedLines(message, bodyLinesMax)];
}

const messageFieldsTold = 'id ts topic sender body action_flag acknowledged_by'.split(' ');

/**
 * The fields that a line has no words of its own for, each with its name: nothing that a bus says is left out, whether
 * a newer bus added it or this version did.
 */
export function toOtherFields(row: Row, told: readonly string[], now: Date): readonly string[] {
  return Object.entries(row)
    .filter(([field, value]) => !told.includes(field) && value !== undefined && value !== null)
    .map(([field, value]) => `${fieldNames[field] ?? toText(field)} ${toFieldText(field, value, now)}`);
}

/** What people call a field; others go by the name that they have on the wire. */
const fieldNames: Readonly<Record<string, string>> = {
  claimed_at: 'since',
  heartbeat_at: 'renewed',
  expires_at: 'until',
  lease_s: 'lease',
};

function toFieldText(field: string, value: unknown, now: Date): string {
  if (/_s$/.test(field)) return toLeaseLength(value);
  if (/^ts$|_at$/.test(field) && typeof value === 'string') return toClockTime(value, now);
  return Array.isArray(value) ? value.map(toText).join(', ') : toText(value);
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
function toFlagMark({ action_flag, acknowledged_by, acknowledged_at }: Row, now: Date): string {
  if (acknowledged_by === undefined) return action_flag === true ? '⚑ needs a person' : '';
  const when = acknowledged_at === undefined ? '' : ` at ${toClockTime(acknowledged_at, now)}`;
  return `⚑ acknowledged by ${toText(acknowledged_by)}${when}`;
}

/** A table of lanes with who holds each, for how long still, and under which fence. */
export function toLaneLines(lanes: readonly Row[], now: Date): string[] {
  return toRowTable(lanes, now, {
    LANE: ['lane'],
    OWNER: ['owner'],
    'EXPIRES IN': ['expires_in_s', 'expires_at'],
    FENCE: ['fence'],
  });
}

/** A table of those who wait for lanes. */
export function toWaiterLines(waiters: readonly Row[], now: Date): string[] {
  return toRowTable(waiters, now, { LANE: ['lane'], PLACE: ['place'], OWNER: ['owner'], SINCE: ['since'] });
}

/** Rows of any kind under these headings, and every other field that one of them has under its name. */
export function toRowTable(
  rows: readonly Row[],
  now: Date,
  columns: Readonly<Record<string, readonly string[]>> = {},
): string[] {
  const told = Object.values(columns).flat();
  const others = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter(
    (field) => !told.includes(field),
  );
  const all = [...Object.entries(columns), ...others.map((field) => [toHeading(field), [field]] as const)];
  return toTable(
    all.map(([heading]) => heading),
    rows.map((row) => all.map(([, [field = '']]) => toCell(row, field, now))),
  );
}

function toHeading(field: string): string {
  return (fieldNames[field] ?? toText(field)).toUpperCase();
}

function toCell(row: Row, field: string, now: Date): string {
  if (field === 'expires_in_s') return toRemaining(row);
  const value = row[field];
  return field === 'since' ? toClockTime(value, now) : toFieldText(field, value, now);
}

/** The length of a lease the way people type it: `5m`. */
export function toLeaseLength(seconds: unknown): string {
  return typeof seconds === 'number' ? toDurationText(seconds) : toText(seconds);
}

/** How much of a lease is left, by the bus's clock. */
export function toRemaining(lane: Row): string {
  const seconds = lane.expires_in_s;
  // A bus that does not send the remaining seconds leaves only the timestamp, which this machine's clock would
  // misjudge.
  if (typeof seconds !== 'number') return toText(lane.expires_at);
  if (seconds > 0) return toDuration(seconds);
  return seconds < 0 ? `expired ${toDuration(-seconds)} ago` : 'expired';
}
