import { type BatchChanges, decideBatch, isEmpty, type TurnResult } from '../batch.ts';
import type { Pause } from '../clock.ts';
import type { ObserveCommit } from '../health.ts';
import type { Waiter } from '../rows.ts';
import type { Turn } from '../store.ts';
import type { StoreClock } from './clock.ts';
import type { Connection } from './connection.ts';
import { toStoreError, toUnknownOutcome } from './errors.ts';
import type { Feed } from './feed.ts';
import { decideLife, type Life, readLife, toLastPause, writeLife } from './life.ts';
import { type LoadedRows, loadRows } from './load.ts';
import { probeTurn, trialTurn } from './probe.ts';
import { createRowReader, type RowReader } from './read.ts';
import type { Session } from './session.ts';
import { type CommitRequest, type QueueChanges, writeRows } from './write.ts';

/** Decides a batch and commits it. Rejects when nothing was committed, or when the outcome is unknown. */
export type Commit = (turns: readonly Turn<unknown>[]) => Promise<readonly TurnResult[]>;

type Parts = Readonly<{
  bus: string;
  channel: string;
  writing: Connection;
  /** All reads see the same snapshot and wait for no lock. */
  atOnce: <Seen>(read: (reader: RowReader, ask: Session['ask']) => Promise<Seen>) => Promise<Seen>;
  time: StoreClock;
  feed: Feed;
  /** Called after each commit, also a failed one. A batch of refusals writes nothing, so it does not count. */
  observe: ObserveCommit;
}>;

/** What a batch is decided on: the rows, the time and, where the database reports pauses, the signs of life. */
type Loaded = Readonly<{ rows: LoadedRows; now: number; life: Life | undefined }>;
type Begun = Loaded & Readonly<{ moved: Life | undefined }>;
type Decided = Readonly<{ request: CommitRequest; results: readonly TurnResult[]; isNothing: boolean }>;

export function createCommit(parts: Parts): Commit {
  const { bus, channel, writing, atOnce, time, feed, observe } = parts;

  async function commit(turns: readonly Turn<unknown>[]): Promise<readonly TurnResult[]> {
    const startedAtMs = performance.now();
    const toMeasurement = () => ({ turns: turns.length, seconds: (performance.now() - startedAtMs) / 1000 });
    try {
      // A post always writes. A batch of lane turns may consist of refusals only; those should not pay for a lock
      // and a disk write.
      const refused = turns.every(({ asks }) => asks?.lanes !== undefined)
        ? await decideUnlocked(turns)
        : undefined;
      if (refused) return refused;
      const { results, isNothing } = await decideLocked(turns);
      if (!isNothing) observe(toMeasurement());
      return results;
    } catch (failure) {
      observe({ ...toMeasurement(), failure });
      throw failure;
    }
  }

  /** The results if nothing has to be written for them, otherwise undefined. */
  async function decideUnlocked(turns: readonly Turn<unknown>[]) {
    const loaded = await atOnce((reader, ask) => load({ reader, ask, turns, isLocked: false }));
    const { rows, now, life } = loaded;
    // Past `servedUntil` every decision has to move that time ahead first. That applies to refusals too, and needs
    // the lock.
    if (life && life.servedUntil < now) return undefined;
    const { results, isNothing } = decide(turns, loaded);
    if (!isNothing) return undefined;
    // This turn may have seen an event that another process committed. Waiters here must hear of that event first.
    await feed.reach(rows.counters.lastEventId);
    return results;
  }

  async function decideLocked(turns: readonly Turn<unknown>[]): Promise<Omit<Decided, 'request'>> {
    const session = await writing.session();
    // Read the position before asking the database. By the time its reply arrives, newer events may have been handed
    // out, and comparing those with the older reply would look as if the log had gone back.
    const handedOut = feed.position();
    const begun = await begin(session, turns);
    const { rows, moved } = begun;
    feed.endsAt(rows.counters.lastEventId, handedOut);
    const isProbed = turns.includes(probeTurn);
    const failure = isProbed ? await tryToWrite(session, begun) : undefined;
    const decided = decide(turns, { ...begun, life: moved ?? begun.life });
    const { request } = decided;
    const isNothing = decided.isNothing && !isProbed && !moved;
    const results = turns.map((turn, index): TurnResult => {
      const result = decided.results[index] as TurnResult;
      return turn === probeTurn && failure ? { failure: toStoreError(failure.reason) } : result;
    });
    const caughtUp = feed.reach(rows.counters.lastEventId).catch(() => {
      // The rows are committed either way; the listener catches up when it can.
    });
    if (isNothing) await rollBack(session);
    else await keep(session, request, moved);
    if (moved) time.observeLife?.(moved);
    await caughtUp;
    feed.publish(request.events);
    return { results, isNothing };
  }

  /** Sends all queries together, in one round trip. */
  async function load({
    reader,
    ask,
    turns,
    isLocked,
  }: Readonly<{
    reader: RowReader;
    ask: Session['ask'];
    turns: readonly Turn<unknown>[];
    isLocked: boolean;
  }>): Promise<Loaded> {
    const asked = loadRows(reader, turns, { isLocked });
    const lifeAsked = time.observeLife ? readLife(ask) : undefined;
    // After one statement fails, all later ones fail too, and only the first failure says why.
    lifeAsked?.catch(() => {});
    const [rows, life] = [await asked, await lifeAsked];
    const now = time.judge(rows.counters);
    if (life) time.observeLife?.(life);
    return { rows, now, life };
  }

  function decide(turns: readonly Turn<unknown>[], { rows, now, life }: Loaded): Decided {
    const lastPause = (): Pause | undefined => (life ? toLastPause(life) : time.clock.lastPause?.());
    const { changes, results } = decideBatch(turns, rows, { now: () => now, lastPause });
    const queueChanges = diffQueues(rows, changes.queues);
    const isNothing = isEmpty(changes) && Object.values(queueChanges).every(({ length }) => length === 0);
    return { request: { ...changes, ...queueChanges }, results, isNothing };
  }

  async function begin(session: Session, turns: readonly Turn<unknown>[]): Promise<Begun> {
    const reader = createRowReader(session.ask, bus);
    try {
      const [, loaded] = await Promise.all(
        session.together(() => [
          session.run('BEGIN ISOLATION LEVEL READ COMMITTED'),
          load({ reader, ask: session.ask, turns, isLocked: true }),
        ]),
      );
      return { ...loaded, moved: await moveOn(session, loaded) };
    } catch (error) {
      await rollBack(session);
      throw toStoreError(error);
    }
  }

  /** Reads again under the lock, because another bus may just have moved `servedUntil` ahead. */
  async function moveOn(session: Session, { life, now }: Loaded): Promise<Life | undefined> {
    if (!life || now <= life.servedUntil) return undefined;
    return decideLife(await readLife(session.ask, { isLocked: true }), now);
  }

  /** Writes one row of each kind and rolls it back. The savepoint protects the transaction that this runs in. */
  async function tryToWrite(session: Session, loaded: Loaded): Promise<Failure | undefined> {
    const { request } = decide([trialTurn], loaded);
    const { written, undone } = session.together(() => {
      const begun = session.run('SAVEPOINT trial');
      const rowsWritten = writeRows(session.ask, request, { bus, channel });
      return { written: [begun, ...rowsWritten], undone: session.run('ROLLBACK TO SAVEPOINT trial') };
    });
    return findFailure([...written, undone]);
  }

  /**
   * Writes and commits, and decides what to report when something goes wrong. "Nothing was kept" is a strong claim,
   * because the caller then repeats the write. Only one reply from the server proves it: when a statement of a
   * transaction failed, the server answers COMMIT with the word ROLLBACK.
   *
   * No error proves it. A pooler can end the connection after the commit has reached the disk, and so can a server
   * that dies; the error then arrives as the reply to whichever statement was still waiting. An error at COMMIT can
   * also come after the commit is on disk. The severity of an error would help, but the server reports it in its own
   * language. So every other failure is reported as "outcome unknown".
   */
  async function keep(session: Session, request: CommitRequest, life: Life | undefined): Promise<void> {
    const { written, committed } = session.together(() => ({
      written: [
        ...writeRows(session.ask, request, { bus, channel }),
        ...(life ? [writeLife(session.ask, life)] : []),
      ],
      committed: session.run('COMMIT'),
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
  // Without a connection there is no transaction to roll back.
  await session.run('ROLLBACK').catch(() => {});
}

/**
 * Compares the queues before and after. A waiter that repeats its request takes over the place of its earlier
 * request, with the same start time; that counts as replaced. Places never change in any other way.
 */
function diffQueues(rows: LoadedRows, changed: BatchChanges['queues']): QueueChanges {
  const diffs = [...changed].map(([lane, after]) => diffQueue(rows.queue(lane), after));
  return {
    arrived: diffs.flatMap(({ arrived }) => arrived),
    replaced: diffs.flatMap(({ replaced }) => replaced),
    gone: diffs.flatMap(({ gone }) => gone),
  };
}

function diffQueue(before: readonly Waiter[], after: readonly Waiter[]): QueueChanges {
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
    else arrived.push(waiter);
    gone.delete(toPlace(waiter));
  }
  return { arrived, replaced, gone: [...gone.values()].map(({ ticket }) => ticket) };
}

function toPlace({ ticket, repeat, since }: Waiter): string {
  return repeat ? JSON.stringify([repeat, since]) : ticket;
}
