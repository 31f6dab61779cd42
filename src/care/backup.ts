import { statSync } from 'node:fs';
import { loadDriver } from '../store/sqlite/driver.ts';
import { openForReading, readTotals } from '../store/sqlite/source.ts';
import { createNewFile } from './new-file.ts';
import type { Progress } from './progress.ts';
import { toProblem, verifyStore } from './verify.ts';

export type Backup = Readonly<{ file: string; bytes: number; messages: number; lastMessageId: number }>;

/**
 * Copies the database as it is at one moment into one file, also while a bus runs on it, and verifies the copy before
 * it gets its name.
 */
export async function backUp(
  { store, file }: Readonly<{ store: string; file: string }>,
  progress: Progress,
): Promise<Backup> {
  const target = createNewFile(file);
  try {
    progress.report('copying the database', 0);
    copyDatabase(store, target.draft);
    const verification = await verifyStore(target.draft, progress);
    if (!verification.ok) {
      throw new Error(
        `the database ${store} is not whole, so there is no backup of it: ${toProblem(verification)}. Look at it with bus-mcp verify`,
      );
    }
    const backup = describe(target.draft);
    target.finish();
    return { ...backup, file: target.path };
  } finally {
    target.abandon();
    progress.end();
  }
}

/** The rows of one moment as a compact file of their own, into an empty file. */
export function copyDatabase(from: string, into: string): void {
  const database = openForReading(from);
  try {
    database.exec(`VACUUM INTO '${into.replaceAll("'", "''")}'`);
  } finally {
    database.close();
  }
}

function describe(path: string): Omit<Backup, 'file'> {
  const database = loadDriver().open(path, { readOnly: true });
  try {
    const { messageCount, lastMessageId } = readTotals(database);
    return { bytes: statSync(path).size, messages: messageCount, lastMessageId };
  } finally {
    database.close();
  }
}
