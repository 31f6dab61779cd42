import type { Actions } from './actions.ts';
import { type Activity, activityMilliseconds } from './activity.ts';
import type { Api } from './api.ts';
import type { ServerClock } from './clock.ts';
import { part, setShown, setText, toClockTime } from './dom.ts';
import { effectOf } from './followed.ts';
import {
  createFreeRow,
  createHeldRow,
  createOrphanRow,
  type FreeLane,
  type LaneRowParts,
} from './lane-row.ts';
import { createLaneTable } from './lane-table.ts';
import type { HeldLane, Lanes } from './lanes.ts';
import type { Model } from './model.ts';
import { createMoreLanes } from './more-lanes.ts';
import type { LaneEvent } from './rows.ts';

/** Who holds what, what was left behind, and what was held within the hour, each with its timeline. */
export function createLanesView({
  api,
  model,
  clock,
  actions,
}: Readonly<{ api: Api; model: Model; clock: ServerClock; actions: Actions }>) {
  const { lanes, activity } = model;
  const find = part<HTMLInputElement>('lanes-find');
  const order = part<HTMLSelectElement>('lanes-order');
  const moreLanes = createMoreLanes({ api, onFound: paint });
  const parts: LaneRowParts = { lanes, activity, clock, release: actions.release };
  const held = createLaneTable<HeldLane>('held', (lane) => createHeldRow(lane, parts));
  const orphans = createLaneTable<HeldLane>('orphans', (lane) => createOrphanRow(lane, parts));
  const free = createLaneTable<FreeLane>('free', (lane) => createFreeRow(lane, parts));

  find.addEventListener('input', paint);
  order.addEventListener('change', paint);

  function paint(): void {
    // Nothing is known yet, which is not the same as nothing being there.
    if (!model.meta()) return;
    activity.prune(clock.now());
    const words = find.value.trim();
    const isWanted = toTest(words);
    const all = [...lanes.all(), ...findMore(words, isWanted)];
    const live = all.filter((lane) => !lane.isOrphaned);
    const left = all.filter((lane) => lane.isOrphaned);
    const freed = toFreeLanes(lanes, activity);
    const shown = {
      held: live.filter(isWanted).sort(toOrder(order.value, lanes)),
      orphans: left.filter(isWanted).sort((a, b) => (a.expires_at < b.expires_at ? 1 : -1)),
      free: freed.filter(isWanted).sort((a, b) => (a.ts < b.ts ? 1 : -1)),
    };
    held.set(shown.held);
    orphans.set(shown.orphans);
    free.set(shown.free);
    const { live: liveLeftOut, orphaned: orphansLeftOut } = lanes.uncounted();
    setShown(part('held-empty'), shown.held.length === 0);
    setText(
      part('held-empty'),
      words !== '' && live.length > 0 ? 'No lane that is held fits.' : 'No lane is held.',
    );
    const reach = words === '' || liveLeftOut + orphansLeftOut === 0 ? '' : moreLanes.reach();
    setText(part('held-more'), reach || toLeftOut(liveLeftOut, 'held'));
    setText(part('orphans-more'), reach ? '' : toLeftOut(orphansLeftOut, 'left behind'));
    setShown(part('legend'), all.length + freed.length > 0);
    setText(part('legend-note'), toKnownNote());
  }

  /** Those that the status does not list; what happened to one since it was looked for counts more. */
  function findMore(words: string, isWanted: (lane: HeldLane) => boolean): readonly HeldLane[] {
    const { live, orphaned } = lanes.uncounted();
    if (live + orphaned === 0) return [];
    return moreLanes
      .find(words, isWanted)
      .filter(({ lane }) => !lanes.get(lane) && !isFreed(activity.of(lane).at(-1)));
  }

  /** When the hour cannot be shown whole, that is said: an empty stretch would look like peace. */
  function toKnownNote(): string {
    const since = activity.knownSince();
    if (since <= clock.now() - activityMilliseconds || since === Number.POSITIVE_INFINITY) return '';
    return `The timelines begin at ${toClockTime(since)}.`;
  }

  function tick(): void {
    held.refresh();
    orphans.refresh();
    free.refresh();
  }

  return { paint, tick };
}

function toFreeLanes(lanes: Lanes, activity: Activity): FreeLane[] {
  const free: FreeLane[] = [];
  for (const [lane, events] of activity.lanes()) {
    const last = events.at(-1);
    if (!last || !isFreed(last) || lanes.get(lane)) continue;
    const { owner, fence, ts, released_by: by } = last;
    free.push({ lane, owner, fence, ts, ...(by !== undefined && { by }) });
  }
  return free;
}

function isFreed(event: LaneEvent | undefined): boolean {
  return event !== undefined && effectOf(event).mark === 'release';
}

function toOrder(order: string, lanes: Lanes): (a: HeldLane, b: HeldLane) => number {
  const byName = (a: HeldLane, b: HeldLane) => (a.lane < b.lane ? -1 : 1);
  if (order === 'ending')
    return (a, b) => (a.expires_at === b.expires_at ? byName(a, b) : a.expires_at < b.expires_at ? -1 : 1);
  if (order === 'waiting')
    return (a, b) => lanes.waitersFor(b.lane).length - lanes.waitersFor(a.lane).length || byName(a, b);
  return byName;
}

function toTest(words: string): (lane: Readonly<{ lane: string; owner: string }>) => boolean {
  const wanted = words.toLowerCase();
  return ({ lane, owner }) =>
    wanted === '' || lane.toLowerCase().includes(wanted) || owner.toLowerCase().includes(wanted);
}

function toLeftOut(count: number, state: string): string {
  return count > 0 ? `${count} more are ${state} than are listed here. Find looks among them too.` : '';
}
