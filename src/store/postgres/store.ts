import type { BusError } from '../../contract/errors.ts';
import { createGroupCommit } from '../group-commit.ts';
import type { StoreHealth } from '../health.ts';
import type { Notify } from '../notice.ts';
import type { EventRow } from '../rows.ts';
import type { Overview, OverviewQuery, Store } from '../store.ts';
import type { StoreClock } from './clock.ts';
import { createCommit } from './commit.ts';
import type { Connection } from './connection.ts';
import { toStoreError } from './errors.ts';
import { createFeed, type Rewind } from './feed.ts';
import { type Listener, startListener } from './listen.ts';
import { toNewLane, toQueues } from './load.ts';
import { probeTurn } from './probe.ts';
import { createPulse } from './pulse.ts';
import { createRowReader, type RowReader } from './read.ts';
import type { Session } from './session.ts';
import { pulseMilliseconds, writeFarewell } from './write.ts';

type Parts = Readonly<{
  location: string;
  /** Identifies this process among those that share the database. */
  bus: string;
  /** The channel on which the processes announce their commits. */
  channel: string;
  /** The last event before this process started. */
  startId: number;
  time: StoreClock;
  health: StoreHealth;
  notify?: Notify | undefined;
  openListening: () => Promise<Session>;
  reading: Connection;
  writing: Connection;
}>;

/** Any number of processes can share the database, so this store caches nothing in memory. */
export async function createPostgresStore(parts: Parts): Promise<Store> {
  const { location, bus, channel, startId, time, health, openListening, reading, writing } = parts;
  const { clock, judge, given } = time;
  const listeners = new Set<(events: readonly EventRow[]) => void>();
  const rewindListeners = new Set<() => void>();
  let committing: Promise<unknown> = Promise.resolve();
  let probing: Promise<void> | undefined;
  /** Set while this process would misread the database because a newer bus changed it. */
  let outdated: BusError | undefined;

  const reader = createRowReader(
    (sql, ...values) => watched(async () => (await reading.session()).ask(sql, ...values)) as Promise<never>,
    bus,
  );
  const feed = createFeed({
    startId,
    readEvents: reader.events,
    readPruned: async () => (await reader.counters()).pruned.eventId,
    deliver: (events) => {
      for (const listener of listeners) listener(events);
    },
    onRewind: tellRewind,
  });
  const decideAndKeep = createCommit({ bus, channel, writing, atOnce, time, feed, observe: health.commit });
  const group = createGroupCommit({
    commit: (turns) => {
      const results = decideAndKeep(turns);
      committing = results.catch(() => {});
      return results;
    },
  });
  const listener = await listen();

  function listen(): Promise<Listener> {
    const committed = () => committing;
    const takeEmptyTurn = () => group.take<void>({ decide: () => ({ answer: undefined }) });
    return startListener({
      open: openListening,
      channel,
      pulseMilliseconds,
      onPayload: (payload) => void hear(payload).catch(() => {}),
      onPulse: createPulse({ ...parts, reader, feed, committed, takeEmptyTurn, onVersion }),
    });
  }

  async function watched<Seen>(read: () => Promise<Seen>): Promise<Seen> {
    if (outdated) throw outdated;
    try {
      const seen = await read();
      health.readWorked();
      return seen;
    } catch (error) {
      const failure = toStoreError(error);
      health.readFailed(failure);
      throw failure;
    }
  }

  /** Sent together, so that no statement of another reader gets between them. */
  function atOnce<Seen>(read: (reader: RowReader, ask: Session['ask']) => Promise<Seen>): Promise<Seen> {
    return watched(async () => {
      const session = await reading.session();
      const sent = session.together(() => ({
        begun: session.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'),
        result: read(createRowReader(session.ask, bus), session.ask),
        ended: session.run('COMMIT'),
      }));
      const [seen] = await Promise.all([sent.result, sent.begun, sent.ended]);
      return seen;
    });
  }

  async function hear(payload: string): Promise<void> {
    const [eventId, sender] = payload.split(' ');
    // After its own commit this process hands out the events itself. It does not if the outcome stayed unknown.
    if (sender === bus) await committing;
    await feed.reach(Number(eventId));
  }

  function onVersion(found: BusError | undefined): void {
    const message = 'this bus would misread the database: upgrade it';
    if (found && !outdated) parts.notify?.({ level: 'warn', message, data: { reason: found.detail } });
    outdated = found;
  }

  function tellRewind(rewind: Rewind): void {
    const message = 'the database went back to an earlier state: what was kept since is gone';
    parts.notify?.({ level: 'warn', message, data: { lastEventId: rewind.to, before: rewind.from } });
    for (const listener of rewindListeners) listener();
  }

  async function readOverview(query: OverviewQuery): Promise<Overview> {
    const now = given();
    const { lanesMax, waitersMax } = query;
    const [counters, live, orphaned, counts, lists, waiters, waiterCount] = await atOnce((look) =>
      Promise.all([
        look.counters(),
        look.live(now, lanesMax),
        look.orphaned(now, lanesMax),
        look.countLanes(now),
        look.lists(query.lists),
        look.waiters(waitersMax),
        look.countWaiters(),
      ]),
    );
    const queues = [...toQueues(waiters)].map(([lane, queue]) => ({ lane, queue }));
    return {
      now: judge(counters),
      live,
      orphaned,
      ...counts,
      lists,
      queues,
      waiterCount,
      counters,
    };
  }

  async function readLane(lane: string) {
    const [counted, [row], waiters] = await atOnce((look) =>
      Promise.all([look.counters(), look.found('lanes', [lane]), look.waitersFor([lane])]),
    );
    judge(counted);
    return { row: row ?? toNewLane(lane, counted), queue: waiters };
  }

  /** A probe is a commit, so callers that ask while one is in progress share its result. */
  function probe(): Promise<void> {
    probing ??= group.take(probeTurn).finally(() => {
      probing = undefined;
    });
    return probing;
  }

  async function close(): Promise<void> {
    await group.close();
    await listener.close();
    // Whoever waited here was answered; if the database is away, it will notice the silence.
    await sayFarewell(writing, bus);
    await Promise.all([writing.close(), reading.close()]);
    clock.stop?.();
  }

  return {
    kind: 'postgres',
    location,
    clock,
    take: group.take,
    readMessages: reader.messages,
    readEvents: reader.events,
    readLanes: reader.lanes,
    readAgents: reader.agents,
    readScopedLanes: () => watched(reader.scoped),
    readLane,
    readCounters: reader.counters,
    readCountersNow: reader.counters,
    readOldestOf: reader.oldestOf,
    readOverview,
    subscribe: toSubscribe(listeners),
    onRewind: toSubscribe(rewindListeners),
    probe,
    close,
  };
}

async function sayFarewell(writing: Parts['writing'], bus: string): Promise<void> {
  await writing
    .session()
    .then(({ ask }) => writeFarewell(ask, bus))
    .catch(() => {});
}

/** Adds a listener; the function that comes back removes it. */
function toSubscribe<Listener>(listeners: Set<Listener>): (listener: Listener) => () => void {
  return (listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
}
