import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { errorNumberOf, loadDriver } from './driver.ts';
import { findCondition } from './errors.ts';
import { watchFiles } from './integrity/files.ts';
import { readHighWater, toMarkPath } from './integrity/loss.ts';
import { createMarkKeeper } from './integrity/mark-keeper.ts';
import { prepareForWriting } from './transactions.ts';
import type { CommitRequest } from './write.ts';
import { closeRequest, createRowWriter } from './write.ts';

/** The thread that waits for the disk, so that no read ever does. It knows rows only; what to write was decided. */
export type WriterAnswer =
  /** So many of the oldest requests are kept. */
  Readonly<{ kept: number }> | Refusal;

/** Nothing of the requests that are not answered is kept, unless the outcome is unknown. */
type Refusal = Readonly<{
  reason: string;
  /** The same for people, when it is the disk or the file, and may pass. */
  condition?: string | undefined;
  /** Whether the rows may be found at the next start nevertheless. */
  isUnknown?: boolean;
}>;

if (parentPort) listen(parentPort, (workerData as { path: string }).path);

function listen(port: NonNullable<typeof parentPort>, path: string): void {
  const database = loadDriver().open(path);
  prepareForWriting(database);
  // Checkpoints are made between the commits: then every other change of the file is somebody else's.
  database.exec('PRAGMA wal_autocheckpoint = 0');
  const write = createRowWriter(database);
  const keepMark = createMarkKeeper(toMarkPath(path), readHighWater(database));
  const files = watchFiles(path);

  function checkFiles(): Refusal | undefined {
    const condition = files.findTrouble();
    return condition === undefined ? undefined : { reason: condition, condition };
  }

  /** A commit whose files were spoiled meanwhile may or may not be there at the next start. */
  function commit(requests: readonly CommitRequest[]): Refusal | undefined {
    const failure = attempt(() => write(requests));
    if (failure) return { ...failure, isUnknown: failure.condition !== undefined && !files.voidFailed() };
    const spoiled = checkFiles();
    return spoiled && { ...spoiled, isUnknown: true };
  }

  let refusedRound = -1;

  function answer(requests: readonly CommitRequest[]): void {
    const last = requests.at(-1);
    if (!last) return;
    const refusal = checkFiles() ?? commit(requests);
    if (refusal) refusedRound = last.round;
    else keepMark.after(requests.map(({ highWater }) => highWater));
    port.postMessage(refusal ?? ({ kept: requests.length } satisfies WriterAnswer));
    if (!refusal && files.isLong()) checkpoint();
  }

  /** Nobody waits for it. What it cannot fold now it folds another time. */
  function checkpoint(): void {
    attempt(() => database.exec('PRAGMA wal_checkpoint(PASSIVE)'));
    files.note();
  }

  function close(): void {
    // So that the file alone is the whole database. A log that was spoiled would spoil it.
    if (!checkFiles()) attempt(() => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
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
