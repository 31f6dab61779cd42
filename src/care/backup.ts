import { statSync } from 'node:fs';
import { toRealPath } from '../store/path.ts';
import { errorFull, errorNumberOf, loadDriver } from '../store/sqlite/driver.ts';
import { findCondition } from '../store/sqlite/errors.ts';
import { findLoss, readHighWater } from '../store/sqlite/integrity/loss.ts';
import { readMarkFile, toMarkPath } from '../store/sqlite/integrity/mark.ts';
import { openForReading, readTotals } from '../store/sqlite/source.ts';
import { createNewFile, toUnwritable } from './new-file.ts';
import type { Progress } from './progress.ts';
import { toProblem, verifyStore } from './verify.ts';

export type Backup = Readonly<{ file: string; bytes: number; messages: number; lastMessageId: number }>;

/**
 * Copies a snapshot of the database into one file, even while a bus runs on it. Verifies the copy before giving it
 * its name.
 */
export async function backUp(
  { store, file }: Readonly<{ store: string; file: string }>,
  progress: Progress,
): Promise<Backup> {
  const target = createNewFile(file);
  try {
    progress.report('copying the database', 0);
    // Read the mark before the rows: then it can only be ahead of them if rows are missing.
    const path = toRealPath(store);
    const mark = readMarkFile(toMarkPath(path));
    copyDatabase({ from: path, into: target.draft, name: target.path });
    const verification = await verifyStore(target.draft, progress);
    if (!verification.ok) throw toUnsound(path, toProblem(verification));
    const { found, ...backup } = describe(target.draft);
    const loss = findLoss(path, mark, found);
    if (loss) throw toUnsound(path, loss.facts);
    target.finish();
    return { ...backup, file: target.path };
  } finally {
    target.abandon();
    progress.end();
  }
}

/** `name` is the final name of the copy. */
type Copying = Readonly<{ from: string; into: string; name: string }>;

/** Copies a snapshot of the rows as a compact database into an empty file. */
export function copyDatabase({ from, into, name }: Copying): void {
  const database = openForReading(from);
  try {
    database.exec(`VACUUM INTO '${into.replaceAll("'", "''")}'`);
  } catch (error) {
    throw toCopyError(error, from, name);
  } finally {
    database.close();
  }
}

function toCopyError(error: unknown, from: string, name: string): unknown {
  const number = errorNumberOf(error);
  const condition = findCondition(number);
  if (condition === undefined) return error;
  // Only the copy needs room, so the full disk is the copy's.
  if (number === errorFull) return toUnwritable(name, 'ENOSPC');
  return new Error(`the database ${from} cannot be copied, because ${condition}`);
}

function toUnsound(path: string, problem: string): Error {
  return new Error(
    `the database ${path} is not whole, so there is no backup of it: ${problem}. Look at it with bus-mcp verify`,
  );
}

function describe(path: string) {
  const database = loadDriver().open(path, { readOnly: true });
  try {
    const { messageCount, lastMessageId } = readTotals(database);
    const found = readHighWater(database);
    return { bytes: statSync(path).size, messages: messageCount, lastMessageId, found };
  } finally {
    database.close();
  }
}
