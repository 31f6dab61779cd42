import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

/** How far the log and the fences were when last answered: nothing below was ever handed out for the last time. */
export type HighWater = Readonly<{ messageId: number; eventId: number; fence: number }>;

export type MarkFile = Readonly<{
  read: () => HighWater | undefined;
  write: (mark: HighWater) => void;
  /** Makes the last mark survive a power cut. */
  sync: () => void;
  close: () => void;
}>;

const slotBytes = 256;

/**
 * The high-water mark, kept outside the database: SQLite opens a file whose write-ahead log lost its middle, or that
 * was swapped for an older copy, without a word. Written after each commit without a second fsync; what a power cut
 * can take of it is the last second, and a mark that is too low only notices less.
 *
 * Two slots are written in turn, so that a torn write leaves the other one whole.
 */
export function openMarkFile(path: string): MarkFile {
  const file = openSync(path, 'a+', 0o600);
  closeSync(file);
  const handle = openSync(path, 'r+');
  let turn = 0;

  function write(mark: HighWater): void {
    const text = JSON.stringify(mark);
    const line = `${checksumOf(text)} ${text}`.padEnd(slotBytes - 1);
    writeSync(handle, `${line}\n`, turn * slotBytes, 'utf8');
    turn = 1 - turn;
  }

  const read = () => readMark(handle);
  return { read, write, sync: () => fsyncSync(handle), close: () => closeSync(handle) };
}

/** Reads it beside a bus that goes on writing it. */
export function readMarkFile(path: string): HighWater | undefined {
  const handle = openSync(path, 'r');
  try {
    return readMark(handle);
  } finally {
    closeSync(handle);
  }
}

/** Whether more was handed out than was found. */
export function isAhead(mark: HighWater, found: HighWater): boolean {
  return mark.messageId > found.messageId || mark.eventId > found.eventId || mark.fence > found.fence;
}

/** Each number at its highest: after a loss was accepted, one slot may still hold what was known before it. */
export function higher(one: HighWater, other: HighWater): HighWater {
  return {
    messageId: Math.max(one.messageId, other.messageId),
    eventId: Math.max(one.eventId, other.eventId),
    fence: Math.max(one.fence, other.fence),
  };
}

function readMark(handle: number): HighWater | undefined {
  const marks = [0, 1].flatMap((slot) => readSlot(handle, slot) ?? []);
  return marks.length === 0 ? undefined : marks.reduce(higher);
}

function readSlot(handle: number, slot: number): HighWater | undefined {
  const bytes = Buffer.alloc(slotBytes);
  const length = readSync(handle, bytes, 0, slotBytes, slot * slotBytes);
  const line = bytes.toString('utf8', 0, length).trim();
  const [checksum, text] = [line.slice(0, 16), line.slice(17)];
  return text !== '' && checksum === checksumOf(text) ? (JSON.parse(text) as HighWater) : undefined;
}

function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
