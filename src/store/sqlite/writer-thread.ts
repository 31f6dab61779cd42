import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { errorNumberOf, loadDriver } from './driver.ts';
import { findCondition } from './errors.ts';
import { readHighWater, toMarkPath } from './loss.ts';
import { openMarkFile } from './mark.ts';
import type { CommitRequest } from './write.ts';
import { createRowWriter, prepareForWriting } from './write.ts';

/** The thread that waits for the disk, so that no read ever does. It knows rows only; what to write was decided. */
export type WriterAnswer = Readonly<{
  /** Why nothing was kept. */
  reason?: string | undefined;
  /** The same for people, when it is the disk or the file, and may pass. */
  condition?: string | undefined;
}>;

const markSyncMilliseconds = 1_000;

if (parentPort) listen(parentPort, (workerData as { path: string }).path);

function listen(port: NonNullable<typeof parentPort>, path: string): void {
  const database = loadDriver().open(path);
  prepareForWriting(database);
  const write = createRowWriter(database);
  const keepMark = createMarkKeeper(path, readHighWater(database).fence);
  const files = [path, `${path}-wal`].map((name) => ({ name, ...toIdentity(name) }));

  /** Rows written to a file that has no name any more would be acknowledged and lost. */
  function checkFiles(): WriterAnswer | undefined {
    for (const { name, inode, device } of files) {
      const found = toIdentity(name);
      if (found.inode === inode && found.device === device) continue;
      const condition = `the file ${basename(name)} of the database was deleted or replaced while the bus ran (put it back, or stop the bus and restore a backup)`;
      return { reason: condition, condition };
    }
    return undefined;
  }

  port.on('message', (request: CommitRequest | 'close') => {
    if (request === 'close') {
      // So that the file alone is the whole database; the last close does not do it with every driver.
      attempt(() => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
      database.close();
      keepMark.close();
      port.close();
      return;
    }
    port.postMessage(checkFiles() ?? attempt(() => write(request)) ?? keepMark.after(request));
  });
  port.postMessage({});
}

function attempt(deed: () => void): WriterAnswer | undefined {
  try {
    deed();
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { reason, condition: findCondition(errorNumberOf(error)) };
  }
}

function toIdentity(name: string) {
  const found = statSync(name, { throwIfNoEntry: false });
  return { inode: found?.ino, device: found?.dev };
}

/** Follows the commits with the high-water mark; a disk that refuses it does not stop the commits. */
function createMarkKeeper(path: string, fenceAtStart: number) {
  const file = openMarkFile(toMarkPath(path));
  let fence = fenceAtStart;
  let isSynced = true;

  function after({ counters, lanes }: CommitRequest): WriterAnswer {
    for (const lane of lanes) fence = Math.max(fence, lane.fence);
    attempt(() => file.write({ messageId: counters.lastMessageId, eventId: counters.lastEventId, fence }));
    isSynced = false;
    return {};
  }

  function sync(): void {
    if (!isSynced) attempt(file.sync);
    isSynced = true;
  }

  const timer = setInterval(sync, markSyncMilliseconds);
  function close(): void {
    clearInterval(timer);
    sync();
    file.close();
  }

  return { after, close };
}
