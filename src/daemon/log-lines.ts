import { closeSync, openSync, readSync } from 'node:fs';
import { sizeOf, toOlderLog } from './log-file.ts';

const bytesAtOnceMax = 1_048_576;

/** The last lines before this place in the log, also those that were set aside already. */
export function readLastLines(path: string, count: number, end: number): readonly string[] {
  if (count === 0) return [];
  const older = toOlderLog(path);
  const texts = [readFrom(older, tailStart(older)), readFrom(path, tailStart(path), end)];
  return texts.flatMap(toLines).slice(-count);
}

/** The last thing that was said after this place in the log, in its own words. */
export function readLastLine(path: string, start: number): string | undefined {
  const line = toLines(readFrom(path, Math.max(start, tailStart(path)))).at(-1);
  return line === undefined ? undefined : toWords(line).slice(0, 1_000);
}

/** Answers, each time it is called, the whole lines that were written since, from this place in the log on. */
export function createLineReader(path: string, start: number): () => readonly string[] {
  let place = start;
  return () => {
    // A log that shrank was set aside and begins anew.
    const rest = sizeOf(path) < place ? readFrom(toOlderLog(path), place) : '';
    if (sizeOf(path) < place) place = 0;
    const text = readFrom(path, place);
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    place += Buffer.byteLength(whole);
    return [...toLines(rest), ...toLines(whole)];
  };
}

/** A line for people: when, how grave, what. Lines that are no records stay as they are. */
export function toReadable(line: string): string {
  const record = toRecord(line);
  if (!record) return line;
  const { time, level, msg, err, pid: _pid, hostname: _hostname, name: _name, ...more } = record;
  const cause = (err as { message?: unknown } | undefined)?.message;
  const details = Object.entries({ ...more, ...(cause !== undefined && { cause }) });
  return [
    typeof time === 'number' ? new Date(time).toISOString() : '',
    (levelNames[String(level)] ?? String(level)).padEnd(5),
    String(msg),
    ...details.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`),
  ].join(' ');
}

const levelNames: Readonly<Record<string, string>> = { 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

function toWords(line: string): string {
  const record = toRecord(line);
  return record ? String(record.msg) : line;
}

function toRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(line) as Record<string, unknown>;
    return 'msg' in value ? value : undefined;
  } catch {
    return undefined;
  }
}

function toLines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function tailStart(path: string): number {
  return Math.max(0, sizeOf(path) - bytesAtOnceMax);
}

function readFrom(path: string, start: number, end = sizeOf(path)): string {
  if (end <= start) return '';
  const bytes = Buffer.alloc(Math.min(end - start, bytesAtOnceMax));
  const file = openSync(path, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, start));
  } finally {
    closeSync(file);
  }
}
