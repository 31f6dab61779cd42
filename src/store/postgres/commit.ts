import { type BatchChanges, decideBatch, isEmpty, type TurnResult } from '../batch.ts';
import type { Clock } from '../clock.ts';
import type { Waiter } from '../rows.ts';
import type { Turn } from '../store.ts';
import type { ObserveCommit } from '../watch.ts';
import { stateOf, toStoreError, toUnknownOutcome } from './errors.ts';
import type { Feed } from './feed.ts';
import type { Line } from './line.ts';
import { type LoadedRows, loadRows } from './load.ts';
import { type Counted, createRowReader, type RowReader } from './read.ts';
import type { Session } from './session.ts';
import { type CommitRequest, type QueueChanges, writeRows } from './write.ts';

/** Decides a batch and keeps it; rejects when nothing of it was kept, or when nobody can know. */
export type Commit = (turns: readonly Turn<unknown>[]) => Promise<readonly TurnResult[]>;

type Parts = Readonly<{
  bus: string;
  channel: string;
  writing: Line;
  /** All reads see the same moment, and wait for no lock. */
  atOnce: <Seen>(look: (reader: RowReader) => Promise<Seen>) => Promise<Seen>;
  judging: (counted: Counted) => Pick<Clock, 'now' | 'lastPause'>;
  feed: Feed;
  /** Told of what was written, and of what could not be: a batch of refusals is no commit. */
  observe: ObserveCommit;
}>;

type Decided = Readonly<{ request: CommitRequest; results: readonly TurnResult[]; isNothing: boolean }>;

export function createCommit(parts: Parts): Commit {
  const { bus, channel, writing, atOnce, judging, feed, observe } = parts;

  async function commit(turns: readonly Turn<unknown>[]): Promise<readonly TurnResult[]> {
    const startedAtMs = performance.now();
    const toMeasurement = () => ({ turns: turns.length, seconds: (performance.now() - startedAtMs) / 1000 });
    try {
      // A post always writes. A batch of lane turns may be nothing but refusals: those pay for no lock and no disk.
      const refused = turns.every(({ lane }) => lane !== undefined) ? await decideUnlocked(turns) : undefined;
      if (refused) return refused;
      const { results, isNothing } = await decideLocked(turns);
      if (!isNothing) observe(toMeasurement());
      return results;
    } catch (failure) {
      observe({ ...toMeasurement(), failure });
      throw failure;
    }
  }

  /** The results, when nothing has to be written for them. */
  async function decideUnlocked(turns: readonly Turn<unknown>[]) {
    const rows = await atOnce((reader) => loadRows(reader, turns, { isLocked: false }));
    const { results, isNothing } = decide(turns, rows);
    if (!isNothing) return undefined;
    // Who was served at another process must have heard of it before a turn that saw it is answered.
    await feed.reach(rows.counters.lastEventId);
    return results;
  }

  async function decideLocked(turns: readonly Turn<unknown>[]): Promise<Omit<Decided, 'request'>> {
    const session = await writing.session();
    const rows = await begin(session, turns);
    feed.endsAt(rows.counters.lastEventId, feed.position());
    const { request, results, isNothing } = decide(turns, rows);
    const caughtUp = feed.reach(rows.counters.lastEventId).catch(() => {
      // The rows are kept all the same; the listener catches up when it can.
    });
    if (isNothing) await rollBack(session);
    else await keep(session, request);
    await caughtUp;
    feed.publish(request.events);
    return { results, isNothing };
  }

  function decide(turns: readonly Turn<unknown>[], rows: LoadedRows): Decided {
    const { changes, results } = decideBatch(turns, rows, judging(rows.counters));
    const queueChanges = diffQueues(rows, changes.queues);
    const isNothing = isEmpty(changes) && Object.values(queueChanges).every(({ length }) => length === 0);
    return { request: { ...changes, ...queueChanges }, results, isNothing };
  }

  async function begin(session: Session, turns: readonly Turn<unknown>[]): Promise<LoadedRows> {
    try {
      const [, rows] = await Promise.all(
        session.together(() => [
          session.tell('BEGIN ISOLATION LEVEL READ COMMITTED'),
          loadRows(createRowReader(session.ask, bus), turns, { isLocked: true }),
        ]),
      );
      return rows;
    } catch (error) {
      await rollBack(session);
      throw toStoreError(error);
    }
  }

  async function keep(session: Session, request: CommitRequest): Promise<void> {
    const { written, committed } = session.together(() => ({
      written: writeRows(session.ask, request, { bus, channel }),
      committed: session.tell('COMMIT'),
    }));
    const [inTransaction, atEnd] = await Promise.all([
      findFailure(written),
      committed.then(() => undefined, toFailure),
    ]);
    // A transaction that failed answers COMMIT as if it had been ROLLBACK, so the statements tell.
    if (inTransaction && stateOf(inTransaction.reason)) throw toStoreError(inTransaction.reason);
    if (atEnd) throw isCertain(atEnd.reason) ? toStoreError(atEnd.reason) : toUnknownOutcome(atEnd.reason);
    if (inTransaction) throw toUnknownOutcome(inTransaction.reason);
  }

  return commit;
}

type Failure = Readonly<{ reason: unknown }>;

const toFailure = (reason: unknown): Failure => ({ reason });

async function findFailure(sent: readonly Promise<unknown>[]): Promise<Failure | undefined> {
  const outcomes = await Promise.allSettled(sent);
  return outcomes.find((outcome) => outcome.status === 'rejected');
}

/**
 * Whether a COMMIT that failed kept nothing: when the server said why. A server that is told to stop may have kept it
 * all the same, and so may one that says nothing more.
 */
function isCertain(error: unknown): boolean {
  return stateOf(error)?.startsWith('57P') === false;
}

async function rollBack(session: Session): Promise<void> {
  // Without a connection there is no transaction either.
  await session.tell('ROLLBACK').catch(() => {});
}

/**
 * What came and went, and whose place went over to a repeat of its request, which has waited since the same moment: a
 * place never changes otherwise.
 */
function diffQueues(rows: LoadedRows, changed: BatchChanges['queues']): QueueChanges {
  const diffs = [...changed].map(([lane, after]) => diffQueue(lane, rows.queue(lane), after));
  return {
    arrived: diffs.flatMap(({ arrived }) => arrived),
    replaced: diffs.flatMap(({ replaced }) => replaced),
    gone: diffs.flatMap(({ gone }) => gone),
  };
}

function diffQueue(lane: string, before: readonly Waiter[], after: readonly Waiter[]): QueueChanges {
  const known = new Set(before.map(({ ticket }) => ticket));
  const left = new Set(after.map(({ ticket }) => ticket));
  const gone = new Map(
    before.filter(({ ticket }) => !left.has(ticket)).map((waiter) => [toPlace(waiter), waiter]),
  );
  const arrived: QueueChanges['arrived'][number][] = [];
  const replaced: QueueChanges['replaced'][number][] = [];
  for (const waiter of after.filter(({ ticket }) => !known.has(ticket))) {
    const earlier = gone.get(toPlace(waiter));
    if (earlier) replaced.push({ earlier: earlier.ticket, ticket: waiter.ticket });
    else arrived.push({ lane, waiter });
    gone.delete(toPlace(waiter));
  }
  return { arrived, replaced, gone: [...gone.values()].map(({ ticket }) => ticket) };
}

function toPlace({ ticket, repeat, since }: Waiter): string {
  return repeat ? JSON.stringify([repeat, since]) : ticket;
}
