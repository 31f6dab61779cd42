import type { BusError } from '../../contract/errors.ts';
import type { StoreClock } from './clock.ts';
import type { Feed } from './feed.ts';
import { readLife, showServing } from './life.ts';
import type { Line } from './line.ts';
import { toOutdated } from './migrate.ts';
import { showBus } from './presence.ts';
import { createRowReader, type RowReader } from './read.ts';
import type { Session } from './session.ts';
import { writeSignOfLife, writeTime } from './write.ts';

type Parts = Readonly<{
  bus: string;
  reading: Line;
  writing: Line;
  reader: RowReader;
  feed: Feed;
  time: StoreClock;
  /** Resolves when no commit of this process is under way. */
  committed: () => Promise<unknown>;
  /** Takes a turn that changes nothing: it notes a pause that nobody has noted yet. */
  takeEmptyTurn: () => Promise<void>;
  /** Told each time whether this process would misread what a newer one has made of the database. */
  onVersion: (outdated: BusError | undefined) => void;
}>;

/**
 * What a bus looks at every few seconds, whether it is asked something or not: it shows that it lives, catches up with
 * what it may have missed, and notices that the database is no longer what it was.
 */
export function createPulse(parts: Parts): (session: Session) => Promise<void> {
  const { bus, reading, writing, reader, feed, time, committed, takeEmptyTurn, onVersion } = parts;

  const shown = new WeakSet<Session>();

  return async function pulse(session: Session): Promise<void> {
    // Before somebody needs them: a broken connection is noticed, and told, also while nobody reads or writes.
    for (const line of [reading, writing]) line.session().catch(() => {});
    if (!shown.has(session) && (await showBus(session, bus))) shown.add(session);
    const handedOut = feed.position();
    const here = createRowReader(session.ask, bus);
    const [, counted, version] = await Promise.all([
      writeSignOfLife(session.ask, bus),
      here.counters(),
      here.version(),
    ]);
    // This connection is at a server that takes writes. One that went on reading elsewhere would see nothing new there.
    if (await reader.isReadOnly().catch(() => false)) reading.renew();
    onVersion(toOutdated(version));
    const now = time.judge(counted);
    if (time.noteLife) {
      await showServing(session.ask, now);
      const life = await readLife(session.ask);
      time.noteLife(life);
      if (life.servedUntil < now && life.isHeldAfter) await takeEmptyTurn().catch(() => {});
    }
    const carried = time.carried();
    if (carried !== undefined) await writeTime(session.ask, carried);
    feed.endsAt(counted.lastEventId, handedOut);
    await committed();
    await feed.reach(counted.lastEventId);
  };
}
