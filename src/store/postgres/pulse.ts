import type { BusError } from '../../contract/errors.ts';
import type { StoreClock } from './clock.ts';
import type { Connection } from './connection.ts';
import type { Feed } from './feed.ts';
import { readLife, showServing } from './life.ts';
import { toOutdated } from './migrate.ts';
import { showBus } from './presence.ts';
import { createRowReader, type RowReader } from './read.ts';
import type { Session } from './session.ts';
import { writeSignOfLife, writeTime } from './write.ts';

type Parts = Readonly<{
  bus: string;
  reading: Connection;
  writing: Connection;
  reader: RowReader;
  feed: Feed;
  time: StoreClock;
  /** Resolves when this process has no commit in progress. */
  committed: () => Promise<unknown>;
  /** Runs a turn that changes nothing. It records a pause that no bus has recorded yet. */
  takeEmptyTurn: () => Promise<void>;
  /**
   * Called on each pulse; `outdated` is set when a newer bus changed the database so that this one would misread it.
   */
  onVersion: (outdated: BusError | undefined) => void;
}>;

/**
 * What a bus checks every few seconds, even when it is idle. It shows that it lives, catches up with events it
 * missed, and notices when the database has changed under it.
 */
export function createPulse(parts: Parts): (session: Session) => Promise<void> {
  const { bus, reading, writing, reader, feed, time, committed, takeEmptyTurn, onVersion } = parts;

  const shown = new WeakSet<Session>();

  return async function pulse(session: Session): Promise<void> {
    // Reconnect before somebody needs the connection. That also reports a broken connection while nobody reads or
    // writes.
    for (const connection of [reading, writing]) connection.session().catch(() => {});
    if (!shown.has(session) && (await showBus(session, bus))) shown.add(session);
    const handedOut = feed.position();
    const here = createRowReader(session.ask, bus);
    const [, counted, version] = await Promise.all([
      writeSignOfLife(session.ask, bus),
      here.counters(),
      here.version(),
    ]);
    // The listening connection is at a server that accepts writes. If the reading connection is still at an old
    // primary, it would see nothing new.
    if (await reader.isReadOnly().catch(() => false)) reading.renew();
    onVersion(toOutdated(version));
    const now = time.judge(counted);
    if (time.observeLife) {
      await showServing(session.ask, now);
      const life = await readLife(session.ask);
      time.observeLife(life);
      if (life.servedUntil < now && life.isHeldAfter) await takeEmptyTurn().catch(() => {});
    }
    const carried = time.carried();
    if (carried !== undefined) await writeTime(session.ask, carried);
    feed.endsAt(counted.lastEventId, handedOut);
    await committed();
    await feed.reach(counted.lastEventId);
  };
}
