import { createHash } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';

/**
 * The highest ids and fence that were acknowledged so far. No later bus may hand out any of these, or a lower one,
 * again.
 */
export type HighWater = Readonly<{
  messageId: number;
  eventId: number;
  fence: number;
  /** When the last change was decided. A renewal hands out no id and no fence, and can get lost too. */
  clockMilliseconds: number;
}>;

/** Stored beside the mark: until when the bus that wrote it may have served, and whether it was stopped properly. */
export type Life = Readonly<{ aliveUntil: number; isStopped: boolean }>;

/** Also beside it: how some pages of the database file are without its log, since the last checkpoint. */
export type Base = Readonly<{ pages: readonly Readonly<{ number: number; hash: string }>[] }>;

export type MarkFile = Readonly<{
  write: (mark: HighWater) => void;
  /** Forces the last mark to disk, so that it survives a power cut. */
  sync: () => void;
  close: () => void;
}>;

const slotBytes = 256;

/** The mark of a database where nothing was handed out yet. */
export const lowest: HighWater = { messageId: 0, eventId: 0, fence: 0, clockMilliseconds: 0 };

/**
 * The integrity mark: a small file beside the database that says how far the acknowledged data goes.
 *
 * Why it is needed: SQLite opens a database whose write-ahead log was cut in the middle, or that was swapped for an
 * older copy, without any complaint. Acknowledged messages and grants would just be missing, and the next grants
 * would reuse their fences. With the mark in its own file, the next start sees that the database ends earlier than
 * it did, and refuses.
 *
 * It is written after each commit, without an fsync of its own. A power cut can therefore lose the last second of
 * the mark. That is safe: a mark that is too low notices less, but never reports a loss that did not happen.
 *
 * Two slots are written in turn, so if a write is interrupted halfway, the other slot is still whole.
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

/** Reads the mark, also while a bus goes on writing it. Undefined when there is none. */
export function readMarkFile(path: string): HighWater | 'unreadable' | undefined {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'unreadable';
  }
  try {
    // Marks of earlier versions contain no time.
    const marks = [0, 1].flatMap((slot) => readSlot<Partial<HighWater>>(handle, slot) ?? []);
    return marks.length === 0 ? 'unreadable' : marks.map((mark) => ({ ...lowest, ...mark })).reduce(higher);
  } catch {
    return 'unreadable';
  } finally {
    closeSync(handle);
  }
}

/** Has its own slot, because a different thread than the mark's writes it. */
export function writeLife(path: string, life: Life, isLasting: boolean): void {
  writeBeside(path, lifeSlot, { value: life, isLasting });
}

export function readLife(path: string): Life | undefined {
  return readBeside<Life>(path, lifeSlot);
}

/** It must not be older than a commit that comes after it, also after a power cut. */
export function writeBase(path: string, base: Base): void {
  writeBeside(path, baseSlot, { value: base, isLasting: true });
}

export function readBase(path: string): Base | undefined {
  return readBeside<Base>(path, baseSlot);
}

export function toMarkPath(path: string): string {
  return `${path}.mark`;
}

const [lifeSlot, baseSlot] = [2, 3];

function writeBeside(
  path: string,
  slot: number,
  { value, isLasting }: Readonly<{ value: Life | Base; isLasting: boolean }>,
): void {
  const handle = openSync(path, 'r+');
  try {
    writeSync(handle, toSlot(value), slot * slotBytes, 'utf8');
    if (isLasting) fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function readBeside<Value>(path: string, slot: number): Value | undefined {
  if (!existsSync(path)) return undefined;
  const handle = openSync(path, 'r');
  try {
    return readSlot<Value>(handle, slot);
  } finally {
    closeSync(handle);
  }
}

/** Whether the mark is ahead of what was found. */
export function isAhead(mark: HighWater, found: HighWater): boolean {
  return hasGivenMore(mark, found) || mark.clockMilliseconds > found.clockMilliseconds;
}

/** Whether ids or fences are missing, and not only changes that hand out neither. */
export function hasGivenMore(mark: HighWater, found: HighWater): boolean {
  return mark.messageId > found.messageId || mark.eventId > found.eventId || mark.fence > found.fence;
}

/** The higher of each number. After an accepted loss one slot may still hold the older, higher mark. */
export function higher(one: HighWater, other: HighWater): HighWater {
  return {
    messageId: Math.max(one.messageId, other.messageId),
    eventId: Math.max(one.eventId, other.eventId),
    fence: Math.max(one.fence, other.fence),
    clockMilliseconds: Math.max(one.clockMilliseconds, other.clockMilliseconds),
  };
}

/** The file appears with its first slot already written, so an empty mark file is never one of ours. */
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

function toSlot(value: HighWater | Life | Base): string {
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
