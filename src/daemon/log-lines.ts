import { closeSync, openSync, readSync } from 'node:fs';
import { sizeOf } from './log-file.ts';

const bytesAtOnceMax = 1_048_576;

/** The last message in the log after this position, in its own words. */
export function readLastLine(path: string, start: number): string | undefined {
  const line = toLines(readFrom(path, Math.max(start, tailStart(path)))).at(-1);
  return line === undefined ? undefined : toWords(line).slice(0, 1_000);
}

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
