import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';

/** How far the log and the fences were when last answered: nothing below was ever handed out for the last time. */
export type HighWater = Readonly<{
  messageId: number;
  eventId: number;
  fence: number;
  /** When the last change was decided: a renewal hands out no id and no fence, and may be lost as well. */
  clockMilliseconds: number;
}>;

/** Beside the mark itself: until when the bus that wrote it may have served, and whether it was stopped then. */
export type Life = Readonly<{ aliveUntil: number; isStopped: boolean }>;

export type MarkFile = Readonly<{
  write: (mark: HighWater) => void;
  /** Makes the last mark survive a power cut. */
  sync: () => void;
  close: () => void;
}>;

const slotBytes = 256;

/** Where nothing was handed out yet. */
export const lowest: HighWater = { messageId: 0, eventId: 0, fence: 0, clockMilliseconds: 0 };

/**
 * The high-water mark, kept outside the database: SQLite opens a file whose write-ahead log lost its middle, or that
 * was swapped for an older copy, without a word. Written after each commit without a second fsync; what a power cut
 * can take of it is the last second, and a mark that is too low only notices less.
 *
 * Two slots are written in turn, so that a torn write leaves the other one whole.
 */
export function openMarkFile(path: string): MarkFile {
  if (!existsSync(path)) createMarkFile(path);
  const handle = openSync(path, 'r+');
  let turn = 0;

  function write(mark: HighWater): void {
    writeSync(handle, toSlot(mark), turn * slotBytes, 'utf8');
    turn = 1 - turn;
  }

  return { write, sync: () => fsyncSync(handle), close: () => closeSync(handle) };
}

/** What stands in it, also beside a bus that goes on writing it; nothing where there is none. */
export function readMarkFile(path: string): HighWater | 'unreadable' | undefined {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'unreadable';
  }
  try {
    // Those of earlier versions know no time.
    const marks = [0, 1].flatMap((slot) => readSlot<Partial<HighWater>>(handle, slot) ?? []);
    return marks.length === 0 ? 'unreadable' : marks.map((mark) => ({ ...lowest, ...mark })).reduce(higher);
  } catch {
    return 'unreadable';
  } finally {
    closeSync(handle);
  }
}

/** Into a slot of its own, by another thread than the one that keeps the mark. */
export function writeLife(path: string, life: Life, isLasting: boolean): void {
  const handle = openSync(path, 'r+');
  try {
    writeSync(handle, toSlot(life), lifeSlot * slotBytes, 'utf8');
    if (isLasting) fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function readLife(path: string): Life | undefined {
  if (!existsSync(path)) return undefined;
  const handle = openSync(path, 'r');
  try {
    return readSlot<Life>(handle, lifeSlot);
  } finally {
    closeSync(handle);
  }
}

const lifeSlot = 2;

/** Whether more was handed out than was found. */
export function isAhead(mark: HighWater, found: HighWater): boolean {
  return hasGivenMore(mark, found) || mark.clockMilliseconds > found.clockMilliseconds;
}

/** Whether there are ids or fences that were not found, and not only changes without one. */
export function hasGivenMore(mark: HighWater, found: HighWater): boolean {
  return mark.messageId > found.messageId || mark.eventId > found.eventId || mark.fence > found.fence;
}

/** Each number at its highest: after a loss was accepted, one slot may still hold what was known before it. */
export function higher(one: HighWater, other: HighWater): HighWater {
  return {
    messageId: Math.max(one.messageId, other.messageId),
    eventId: Math.max(one.eventId, other.eventId),
    fence: Math.max(one.fence, other.fence),
    clockMilliseconds: Math.max(one.clockMilliseconds, other.clockMilliseconds),
  };
}

/** It appears with its first slot written: an empty one is never of our making. */
function createMarkFile(path: string): void {
  const draft = `${path}.unfinished`;
  try {
    rmSync(draft, { force: true });
    const handle = openSync(draft, 'wx', 0o600);
    writeSync(handle, toSlot(lowest));
    fsyncSync(handle);
    closeSync(handle);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

function toSlot(value: HighWater | Life): string {
  const text = JSON.stringify(value);
  return `${`${checksumOf(text)} ${text}`.padEnd(slotBytes - 1)}\n`;
}

function readSlot<Value>(handle: number, slot: number): Value | undefined {
  const bytes = Buffer.alloc(slotBytes);
  const length = readSync(handle, bytes, 0, slotBytes, slot * slotBytes);
  const line = bytes.toString('utf8', 0, length).trim();
  const [checksum, text] = [line.slice(0, 16), line.slice(17)];
  return text !== '' && checksum === checksumOf(text) ? (JSON.parse(text) as Value) : undefined;
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
