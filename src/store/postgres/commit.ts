import { type BatchChanges, decideBatch, isEmpty, type TurnResult } from '../batch.ts';
import type { Clock } from '../clock.ts';
import type { Waiter } from '../rows.ts';
import type { Turn } from '../store.ts';
import type { ObserveCommit } from '../watch.ts';
import { toStoreError, toUnknownOutcome } from './errors.ts';
import type { Feed } from './feed.ts';
import type { Line } from './line.ts';
import { type LoadedRows, loadRows } from './load.ts';
import { probeTurn, trialTurn } from './probe.ts';
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
    // Taken before the database is asked: its answer may come late, when others have told of newer events long since.
    const handedOut = feed.position();
    const rows = await begin(session, turns);
    feed.endsAt(rows.counters.lastEventId, handedOut);
    const isProbed = turns.includes(probeTurn);
    const failure = isProbed ? await tryToWrite(session, rows) : undefined;
    const decided = decide(turns, rows);
    const { request } = decided;
    const isNothing = decided.isNothing && !isProbed;
    const results = turns.map((turn, index): TurnResult => {
      const result = decided.results[index] as TurnResult;
      return turn === probeTurn && failure ? { failure: toStoreError(failure.reason) } : result;
    });
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

  /** Writes a row of each kind and undoes it, as what the transaction is for must not suffer from it. */
  async function tryToWrite(session: Session, rows: LoadedRows): Promise<Failure | undefined> {
    const { request } = decide([trialTurn], rows);
    const { written, undone } = session.together(() => {
      const begun = session.tell('SAVEPOINT trial');
      const rowsWritten = writeRows(session.ask, request, { bus, channel });
      return { written: [begun, ...rowsWritten], undone: session.tell('ROLLBACK TO SAVEPOINT trial') };
    });
    return findFailure([...written, undone]);
  }

  /**
   * Writes and commits. "Nothing was kept" is said only when the server itself says so: it answers the COMMIT of a
   * transaction in which a statement failed with ROLLBACK. No error proves as much. One that ends the connection may
   * come from a pooler or a server that dies after the commit, in answer to whichever statement was waiting; one at
   * COMMIT may come after the commit is on the disk; and what severity an error has is told in the server's language.
   */
  async function keep(session: Session, request: CommitRequest): Promise<void> {
    const { written, committed } = session.together(() => ({
      written: writeRows(session.ask, request, { bus, channel }),
      committed: session.tell('COMMIT'),
    }));
    const [failure, end] = await Promise.all([findFailure(written), committed.catch(toFailure)]);
    if (typeof end === 'object') throw toUnknownOutcome(end.reason);
    if (end === 'ROLLBACK') throw toStoreError(failure?.reason);
    if (failure) throw toUnknownOutcome(failure.reason);
  }

  return commit;
}

type Failure = Readonly<{ reason: unknown }>;

const toFailure = (reason: unknown): Failure => ({ reason });

async function findFailure(sent: readonly Promise<unknown>[]): Promise<Failure | undefined> {
  const outcomes = await Promise.allSettled(sent);
  return outcomes.find((outcome) => outcome.status === 'rejected');
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
