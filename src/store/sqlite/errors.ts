import { toBusError } from '../../contract/errors.ts';
import { errorNumberOf } from './driver.ts';

/** What a full, broken or read-only disk reports, by SQLite's primary result codes. */
const conditions: Readonly<Record<number, string>> = {
  5: 'the database is locked by another process',
  8: 'the database is read-only',
  10: 'the disk failed',
  11: 'the database is damaged (check it with bus-mcp verify, and restore a backup)',
  13: 'the disk is full',
  14: 'the database cannot be opened',
  26: 'the file is not a database',
};

/** How soon to try a failed disk again. */
export const retrySeconds = 5;

/** Turns a problem with the disk or the file into the refusal `unavailable`; returns any other failure unchanged. */
export function toReadError(error: unknown): unknown {
  const condition = findCondition(errorNumberOf(error));
  if (condition === undefined) return error;
  const detail = `${condition}; the data for this call cannot be read: repeat the call in ${retrySeconds} s`;
  return toBusError('unavailable', detail, { retry_after_s: retrySeconds });
}

/** No fault of the disk: the file system cannot map a file for several processes, or cannot lock it for them. */
export function lacksSharedMemory(errorNumber: number | undefined): boolean {
  return errorNumber === errorMappingIndex || errorNumber === errorLockingIndex;
}

const [errorMappingIndex, errorLockingIndex] = [5386, 5130];

const withoutSharedMemory =
  "the file system of the database cannot share memory between processes, which SQLite's write-ahead log needs (9p, drvfs of WSL, sshfs and some mounts of containers cannot)";

/** The condition that SQLite's error number stands for; undefined when it is not about the disk or the file. */
export function findCondition(errorNumber: number | undefined): string | undefined {
  if (errorNumber === undefined) return undefined;
  // The upper bits hold detail that is not needed otherwise.
  if (lacksSharedMemory(errorNumber)) return withoutSharedMemory;
  return conditions[errorNumber & 0xff];
}
