import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { errorNumberOf, loadDriver } from './driver.ts';
import { findCondition } from './errors.ts';
import { readHighWater, toMarkPath } from './loss.ts';
import { openMarkFile } from './mark.ts';
import type { CommitRequest } from './write.ts';
import { closeRequest, createRowWriter, prepareForWriting } from './write.ts';

/** The thread that waits for the disk, so that no read ever does. It knows rows only; what to write was decided. */
export type WriterAnswer =
  /** So many of the oldest requests are kept. */
  Readonly<{ kept: number }> | Refusal;

/** Nothing of the requests that are not answered is kept. */
type Refusal = Readonly<{
  reason: string;
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
  function checkFiles(): Refusal | undefined {
    for (const { name, inode, device } of files) {
      const found = toIdentity(name);
      if (found.inode === inode && found.device === device) continue;
      const condition = `the file ${basename(name)} of the database was deleted or replaced while the bus ran (put it back, or stop the bus and restore a backup)`;
      return { reason: condition, condition };
    }
    return undefined;
  }

  let refusedRound = -1;

  function answer(requests: readonly CommitRequest[]): void {
    const last = requests.at(-1);
    if (!last) return;
    const refusal = checkFiles() ?? attempt(() => write(requests));
    if (refusal) refusedRound = last.round;
    else keepMark.after(requests);
    port.postMessage(refusal ?? ({ kept: requests.length } satisfies WriterAnswer));
  }

  function close(): void {
    // So that the file alone is the whole database; the last close does not do it with every driver.
    attempt(() => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    database.close();
    keepMark.close();
    port.close();
  }

  port.on('message', (first: string) => {
    const texts = [first, ...takeAll(port)];
    const requests = texts
      .filter((text) => text !== closeRequest)
      .map((text) => JSON.parse(text) as CommitRequest);
    // What was sent before a refusal was known there builds on rows that never were.
    answer(requests.filter(({ round }) => round > refusedRound));
    if (texts.includes(closeRequest)) close();
  });
  port.postMessage({ kept: 0 } satisfies WriterAnswer);
}

/** What came while the last commit was under way. */
function takeAll(port: MessagePort): string[] {
  const texts: string[] = [];
  for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) texts.push(got.message);
  return texts;
}

function attempt(deed: () => void): Refusal | undefined {
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

  function after(requests: readonly CommitRequest[]): void {
    const { messageId = 0, eventId = 0 } = requests.at(-1)?.highWater ?? {};
    fence = Math.max(fence, ...requests.map(({ highWater }) => highWater.fence));
    attempt(() => file.write({ messageId, eventId, fence }));
    isSynced = false;
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
