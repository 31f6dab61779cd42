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

/** At this size the log is moved aside, and the log that was moved aside before is deleted. */
const logBytesMax = 5_000_000;

/** A log that takes at most twice its limit on disk. */
export type LogFile = Readonly<{ write(text: string): void }>;

/**
 * Appends to the file, and copies it to `….1` when it is full.
 *
 * The file is then emptied in place and not renamed. When the bus crashes, the runtime writes its last words to the
 * same file through a descriptor that was opened before this process began; a rename would send them to the wrong
 * file.
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
        // A full disk must not take the bus down because of its log.
      }
      bytes = sizeOf(path);
    },
  };
}

/** Passes an open log file to `use`, for a process that is about to start. */
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
