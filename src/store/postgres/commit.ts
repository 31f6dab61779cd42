import { type BatchChanges, decideBatch, isEmpty, type TurnResult } from '../batch.ts';
import type { Pause } from '../clock.ts';
import type { Waiter } from '../rows.ts';
import type { Turn } from '../store.ts';
import type { ObserveCommit } from '../watch.ts';
import type { StoreClock } from './clock.ts';
import { toStoreError, toUnknownOutcome } from './errors.ts';
import type { Feed } from './feed.ts';
import { decideLife, type Life, readLife, toLastPause, writeLife } from './life.ts';
import type { Line } from './line.ts';
import { type LoadedRows, loadRows } from './load.ts';
import { probeTurn, trialTurn } from './probe.ts';
import { createRowReader, type RowReader } from './read.ts';
import type { Session } from './session.ts';
import { type CommitRequest, type QueueChanges, writeRows } from './write.ts';

/** Decides a batch and keeps it; rejects when nothing of it was kept, or when nobody can know. */
export type Commit = (turns: readonly Turn<unknown>[]) => Promise<readonly TurnResult[]>;

type Parts = Readonly<{
  bus: string;
  channel: string;
  writing: Line;
  /** All reads see the same moment, and wait for no lock. */
  atOnce: <Seen>(look: (reader: RowReader, ask: Session['ask']) => Promise<Seen>) => Promise<Seen>;
  time: StoreClock;
  feed: Feed;
  /** Told of what was written, and of what could not be: a batch of refusals is no commit. */
  observe: ObserveCommit;
}>;

/** What a batch is decided on, when, and what buses have shown of their life, where that tells of pauses. */
type Loaded = Readonly<{ rows: LoadedRows; now: number; life: Life | undefined }>;
type Begun = Loaded & Readonly<{ moved: Life | undefined }>;
type Decided = Readonly<{ request: CommitRequest; results: readonly TurnResult[]; isNothing: boolean }>;

export function createCommit(parts: Parts): Commit {
  const { bus, channel, writing, atOnce, time, feed, observe } = parts;

  async function commit(turns: readonly Turn<unknown>[]): Promise<readonly TurnResult[]> {
    const startedAtMs = performance.now();
    const toMeasurement = () => ({ turns: turns.length, seconds: (performance.now() - startedAtMs) / 1000 });
    try {
      // A post always writes. A batch of lane turns may be nothing but refusals: those pay for no lock and no disk.
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

  /** The results, when nothing has to be written for them. */
  async function decideUnlocked(turns: readonly Turn<unknown>[]) {
    const loaded = await atOnce((reader, ask) => load({ reader, ask, turns, isLocked: false }));
    const { rows, now, life } = loaded;
    // Nobody decides anything beyond that time without moving it, not even a refusal.
    if (life && life.servedUntil < now) return undefined;
    const { results, isNothing } = decide(turns, loaded);
    if (!isNothing) return undefined;
    // Who was served at another process must have heard of it before a turn that saw it is answered.
    await feed.reach(rows.counters.lastEventId);
    return results;
  }

  async function decideLocked(turns: readonly Turn<unknown>[]): Promise<Omit<Decided, 'request'>> {
    const session = await writing.session();
    // Taken before the database is asked: its answer may come late, when others have told of newer events long since.
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
      // The rows are kept all the same; the listener catches up when it can.
    });
    if (isNothing) await rollBack(session);
    else await keep(session, request, moved);
    if (moved) time.noteLife?.(moved);
    await caughtUp;
    feed.publish(request.events);
    return { results, isNothing };
  }

  /** Sends all questions together. */
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
    const lifeAsked = time.noteLife ? readLife(ask) : undefined;
    // After a statement that failed all others fail too, and only the first one says why.
    lifeAsked?.catch(() => {});
    const [rows, life] = [await asked, await lifeAsked];
    const now = time.judge(rows.counters);
    if (life) time.noteLife?.(life);
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
          session.tell('BEGIN ISOLATION LEVEL READ COMMITTED'),
          load({ reader, ask: session.ask, turns, isLocked: true }),
        ]),
      );
      return { ...loaded, moved: await moveOn(session, loaded) };
    } catch (error) {
      await rollBack(session);
      throw toStoreError(error);
    }
  }

  /** Looks again when the time to serve is over, as another bus may just have moved it. */
  async function moveOn(session: Session, { life, now }: Loaded): Promise<Life | undefined> {
    if (!life || now <= life.servedUntil) return undefined;
    return decideLife(await readLife(session.ask, { isLocked: true }), now);
  }

  /** Writes a row of each kind and undoes it, as what the transaction is for must not suffer from it. */
  async function tryToWrite(session: Session, loaded: Loaded): Promise<Failure | undefined> {
    const { request } = decide([trialTurn], loaded);
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
  async function keep(session: Session, request: CommitRequest, life: Life | undefined): Promise<void> {
    const { written, committed } = session.together(() => ({
      written: [
        ...writeRows(session.ask, request, { bus, channel }),
        ...(life ? [writeLife(session.ask, life)] : []),
      ],
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
