import { findLoss, readHighWater, toMarkPath } from './loss.ts';
import { readMarkFile } from './mark.ts';
import { toRealPath } from './prepare.ts';
import { openForReading } from './source.ts';

/** What is wrong with the file of a database, as far as SQLite and the mark beside it can tell. */
export type FileFindings = Readonly<{
  /** What SQLite found wrong with the pages. */
  damage: string[];
  /** What the mark says is missing; nothing when there is no mark, as beside a backup. */
  loss?: string | undefined;
  hasMark: boolean;
}>;

/** Looks at the whole file; a bus may go on writing to it. */
export function inspectFile(file: string): FileFindings {
  const path = toRealPath(file);
  // The mark follows the commits: read before them it cannot be ahead of them, unless they are missing.
  const mark = readMarkFile(toMarkPath(path));
  const database = openForReading(path);
  try {
    const rows = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
    const found = readHighWater(database);
    return {
      damage: rows.map(({ integrity_check: finding }) => finding).filter((finding) => finding !== 'ok'),
      loss: findLoss(path, mark, found)?.sentence,
      hasMark: mark !== undefined,
    };
  } finally {
    database.close();
  }
}
