import { existsSync } from 'node:fs';
import { openSink, openSource, parseKind } from '../store/open-transfer.ts';
import { toRealPath } from '../store/path.ts';
import { loadDriver } from '../store/sqlite/driver.ts';
import { DatabaseHeldError, lockDatabase } from '../store/sqlite/lock.ts';
import { type Filled, fill } from './fill.ts';
import type { Progress } from './progress.ts';

export type Copied = Readonly<{ from: string; to: string; rows: Filled }>;

/**
 * Copies a whole store of either kind into an empty one. Ids, times, fences, leases, events, acknowledgements and
 * kept responses stay the same.
 */
export async function copyStore(
  { from, to, warn }: Readonly<{ from: string; to: string; warn: (sentence: string) => void }>,
  progress: Progress,
): Promise<Copied> {
  const release = parseKind(from) === 'sqlite' ? keepStill(from, warn) : () => {};
  try {
    const source = await openSource(from);
    try {
      if (source.hasBus) warnOfBus(source.location, warn);
      const sink = await openSink(to);
      try {
        return { from: source.location, to: sink.location, rows: await fill(source, sink, progress) };
      } finally {
        await sink.close();
      }
    } finally {
      await source.close();
    }
  } finally {
    release();
    progress.end();
  }
}

/**
 * Keeps a bus from starting on the file during the copy. A bus that already runs goes on, and the user is warned
 * about that.
 */
function keepStill(file: string, warn: (sentence: string) => void): () => void {
  const path = toRealPath(file);
  // A backup never had a bus, so do not create a lock beside it.
  if (!existsSync(`${path}.lock`)) return () => {};
  try {
    return lockDatabase(loadDriver(), path).release;
  } catch (error) {
    if (!(error instanceof DatabaseHeldError)) throw error;
    warnOfBus(`${path} (process ${error.processId})`, warn);
    return () => {};
  }
}

function warnOfBus(where: string, warn: (sentence: string) => void): void {
  warn(
    `a bus runs on ${where}: what it is told from now on is not in the copy. To move for good, stop it first`,
  );
}
