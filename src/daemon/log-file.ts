import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** After so much, what was written is set aside, and what was set aside before that is gone. */
const logBytesMax = 5_000_000;

/** A log that takes twice its limit of the disk at most. */
export type LogFile = Readonly<{ write(text: string): void }>;

/**
 * Appends to the file, and sets it aside as `….1` when it is full.
 *
 * It is emptied in place and not renamed: what the runtime itself says at the end of a crash goes to the same file
 * through a descriptor that was opened before this process began.
 */
export function createLogFile({
  path,
  bytesMax = logBytesMax,
}: Readonly<{ path: string; bytesMax?: number }>): LogFile {
  const file = openLog(path);
  let bytes = fstatSync(file).size;
  return {
    write(text) {
      bytes += Buffer.byteLength(text);
      try {
        writeSync(file, text);
        if (bytes <= bytesMax) return;
        copyFileSync(path, toOlderLog(path));
        truncateSync(path);
      } catch {
        // A full disk must not take the bus down with its log.
      }
      bytes = sizeOf(path);
    },
  };
}

/** Hands an open log to `use`, for a process that is about to be started. */
export function withOpenLog<Result>(path: string, use: (file: number) => Result): Result {
  const file = openLog(path);
  try {
    return use(file);
  } finally {
    closeSync(file);
  }
}

function toOlderLog(path: string): string {
  return `${path}.1`;
}

export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return openSync(path, 'a', 0o600);
}
