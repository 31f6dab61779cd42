import { toBusError } from '../../contract/errors.ts';
import { errorNumberOf } from './driver.ts';

/** What a full, broken or read-only disk says, by SQLite's primary result codes. */
const conditions: Readonly<Record<number, string>> = {
  5: 'the database is locked by another process',
  8: 'the database is read-only',
  10: 'the disk failed',
  11: 'the database is damaged (look at it with bus-mcp verify, and restore a backup)',
  13: 'the disk is full',
  14: 'the database cannot be opened',
  26: 'the file is not a database',
};

/** A disk that failed is asked again after so long. */
export const retrySeconds = 5;

/** The refusal `unavailable` for what a disk or a file can do to a read; any other failure as it is. */
export function toReadError(error: unknown): unknown {
  const condition = findCondition(errorNumberOf(error));
  if (condition === undefined) return error;
  const detail = `${condition}; what the call needs cannot be read: repeat the call in ${retrySeconds} s`;
  return toBusError('unavailable', detail, { retry_after_s: retrySeconds });
}

/** What happened, for a number of SQLite's; nothing when it is not about the disk or the file. */
export function findCondition(errorNumber: number | undefined): string | undefined {
  // The upper bits say more about it than anybody needs to know.
  return errorNumber === undefined ? undefined : conditions[errorNumber & 0xff];
}
