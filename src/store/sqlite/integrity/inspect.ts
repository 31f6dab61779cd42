import { toRealPath } from '../../path.ts';
import { loadDriver, type SqliteDatabase } from '../driver.ts';
import { checkFile } from '../prepare.ts';
import { openForReading } from '../source.ts';
import { checkBase, findForeignBase } from './base.ts';
import { compareWithMark, findLoss, isFirstStartUnfinished, readHighWater } from './loss.ts';
import { type HighWater, readMarkFile, toMarkPath } from './mark.ts';
import { checkCompanions, checkOnlyName } from './names.ts';

/** What is wrong with a database file, as far as SQLite and its mark can tell. */
export type FileFindings = Readonly<{
  /** What SQLite found wrong with the pages. */
  damage: string[];
  /** What the mark says is missing. Undefined without a mark, as with a backup. */
  loss?: string | undefined;
  hasMark: boolean;
}>;

/** Checks the whole file; a bus may go on writing to it. */
export function inspectFile(file: string): FileFindings {
  const path = toRealPath(file);
  // The mark is written after each commit. So read it before the rows: then it can only be ahead of them if rows are
  // missing.
  const mark = readMarkFile(toMarkPath(path));
  const database = openForReading(path);
  try {
    return {
      damage: findDamage(database),
      loss: findForeignBase(path) ?? (mark && compare(database, path, mark)),
      hasMark: mark !== undefined,
    };
  } finally {
    database.close();
  }
}

/** A quick check of what keeps a bus from starting on the file, and what to do about it. */
export function findObstacle(file: string): Readonly<{ finding: string; remedy: string }> | undefined {
  const path = toRealPath(file);
  try {
    checkFile(path);
    checkCompanions(path);
    checkOnlyName(path);
    // The next start rolls it back; a read-only check must not.
    if (isFirstStartUnfinished(path)) return undefined;
    checkBase(path);
    const { loss } = compareWithMark(loadDriver(), path);
    return loss && { finding: `${path}: ${loss.facts}`, remedy: loss.remedy };
  } catch (error) {
    const [finding = '', ...remedy] = (error as Error).message.split(': ');
    return { finding, remedy: remedy.join(': ') };
  }
}

/** With severe damage SQLite gives up instead of listing it. */
function findDamage(database: SqliteDatabase): string[] {
  try {
    const rows = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[];
    return rows
      .flatMap(({ integrity_check: finding }) => finding.split('\n'))
      .filter((line) => line !== 'ok' && !line.startsWith('*** in database'));
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function compare(
  database: SqliteDatabase,
  path: string,
  mark: NonNullable<ReturnType<typeof readMarkFile>>,
): string | undefined {
  let found: HighWater;
  try {
    found = readHighWater(database);
  } catch {
    return 'the database cannot be compared with it, because its counters cannot be read';
  }
  return findLoss(path, mark, found)?.sentence;
}
