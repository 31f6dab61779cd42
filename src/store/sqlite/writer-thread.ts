import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { errorNumberOf, loadDriver } from './driver.ts';
import { findCondition } from './errors.ts';
import { watchFiles } from './integrity/files.ts';
import { readHighWater, toMarkPath } from './integrity/loss.ts';
import { createMarkKeeper } from './integrity/mark-keeper.ts';
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

if (parentPort) listen(parentPort, (workerData as { path: string }).path);

function listen(port: NonNullable<typeof parentPort>, path: string): void {
  const database = loadDriver().open(path);
  prepareForWriting(database);
  const write = createRowWriter(database);
  const keepMark = createMarkKeeper(toMarkPath(path), readHighWater(database));
  const files = watchFiles(path);

  function checkFiles(): Refusal | undefined {
    const condition = files.findTrouble();
    return condition === undefined ? undefined : { reason: condition, condition };
  }

  let refusedRound = -1;

  function answer(requests: readonly CommitRequest[]): void {
    const last = requests.at(-1);
    if (!last) return;
    const refusal = checkFiles() ?? attempt(() => write(requests));
    if (refusal) {
      refusedRound = last.round;
    } else {
      files.note();
      keepMark.after(requests.map(({ highWater }) => highWater));
    }
    port.postMessage(refusal ?? ({ kept: requests.length } satisfies WriterAnswer));
  }

  function close(): void {
    // So that the file alone is the whole database. A log that lost its end would spoil it.
    if (!files.isCut()) attempt(() => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
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
