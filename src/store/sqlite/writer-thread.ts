import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { errorNumberOf, loadDriver } from './driver.ts';
import { findCondition } from './errors.ts';
import { createBaseKeeper, forgetBase } from './integrity/base.ts';
import { watchFiles } from './integrity/files.ts';
import { readHighWater } from './integrity/loss.ts';
import { toMarkPath } from './integrity/mark.ts';
import { createMarkKeeper } from './integrity/mark-keeper.ts';
import { prepareForWriting } from './transactions.ts';
import type { CommitRequest } from './write.ts';
import { closeRequest, createRowWriter } from './write.ts';

/**
 * The thread that waits for the disk, so that reads never do. It handles rows only; what to write is already
 * decided.
 */
export type WriterAnswer =
  /** That many of the oldest requests are committed. */
  Readonly<{ kept: number }> | Refusal;

/** None of the unanswered requests is committed, unless the outcome is unknown. */
type Refusal = Readonly<{
  reason: string;
  /** The reason as a readable sentence, when the disk or the file is the cause and it may pass. */
  condition?: string | undefined;
  /** Whether the rows may still turn up at the next start. */
  isUnknown?: boolean;
}>;

if (parentPort) listen(parentPort, (workerData as { path: string }).path);

function listen(port: NonNullable<typeof parentPort>, path: string): void {
  const database = loadDriver().open(path);
  prepareForWriting(database);
  // This thread runs checkpoints itself, between commits. Then any other change of the file comes from another
  // program.
  database.exec('PRAGMA wal_autocheckpoint = 0');
  const write = createRowWriter(database);
  const keepMark = createMarkKeeper(toMarkPath(path), readHighWater(database));
  const noteBase = createBaseKeeper(database, path);
  const files = watchFiles(path, () => void attempt(noteBase));

  function checkFiles(): Refusal | undefined {
    const condition = files.findTrouble();
    return condition === undefined ? undefined : { reason: condition, condition };
  }

  /** If the files were damaged during a commit, its rows may or may not be there at the next start. */
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

  /** Nobody waits for it. If it cannot fold everything now, a later one will. */
  function checkpoint(): void {
    attempt(() => database.exec('PRAGMA wal_checkpoint(PASSIVE)'));
    files.acceptChange();
  }

  function close(): void {
    // So that the file alone is the whole database. A damaged log would damage the file too, so it is left alone.
    if (!checkFiles()) {
      attempt(() => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
      attempt(() => forgetBase(path));
    }
    database.close();
    keepMark.close();
    port.close();
  }

  port.on('message', (first: string) => {
    const texts = [first, ...takeAll(port)];
    const requests = texts
      .filter((text) => text !== closeRequest)
      .map((text) => JSON.parse(text) as CommitRequest);
    // Requests that the sender made before it knew of a refusal build on rows that were never written, so drop them.
    answer(requests.filter(({ round }) => round > refusedRound));
    if (texts.includes(closeRequest)) close();
  });
  port.postMessage({ kept: 0 } satisfies WriterAnswer);
}

/** The requests that arrived during the last commit. */
function takeAll(port: MessagePort): string[] {
  const texts: string[] = [];
  for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) texts.push(got.message);
  return texts;
}

function attempt(action: () => void): Refusal | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { reason, condition: findCondition(errorNumberOf(error)) };
  }
}
