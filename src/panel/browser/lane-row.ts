import { toDuration } from '../duration.ts';
import { toBothEnds, toVisibleName } from '../visible.ts';
import { makeActionButton } from './action-button.ts';
import type { Activity } from './activity.ts';
import { activityMilliseconds } from './activity.ts';
import type { ServerClock } from './clock.ts';
import { make, makePeerText, makeTime, setAge, setSpan, setText, toExactTime } from './dom.ts';
import { makeStrip, paintStrip } from './lane-strip.ts';
import type { HeldLane, Lanes } from './lanes.ts';
import { makeAgent } from './message-parts.ts';
import type { Waiter } from './rows.ts';
import { toTimeline } from './timeline.ts';
import type { Row } from './windowed-list.ts';

export type LaneRowParts = Readonly<{
  lanes: Lanes;
  activity: Activity;
  clock: ServerClock;
  release: (lane: HeldLane) => Promise<boolean>;
}>;

/** What two lines or three have room for. */
const laneCharactersMax = 40;

/** The time between two drawings of a strip on which nothing happened: a pixel of it is about that long. */
const stripMilliseconds = 10_000;

/** A live lane: who holds it, for how long still, under which fence, who waits, and its last hour. */
export function createHeldRow(lane: HeldLane, parts: LaneRowParts): Row<HeldLane> {
  const { clock, lanes } = parts;
  const owner = make('div', { class: 'owner', role: 'cell' });
  const level = make('i', {});
  const left = make('span', { class: 'left' });
  const lease = make(
    'div',
    { class: 'lease', role: 'cell' },
    make('span', { class: 'bar', 'aria-hidden': 'true' }, level),
    left,
  );
  const fence = make('div', { class: 'fence', role: 'cell' });
  const waiters = make('div', { class: 'waiters', role: 'cell' });
  const strip = createStripCell(lane.lane, parts);
  const element = makeRow(lane.lane, owner, lease, fence, strip.element, waiters);
  let shownHold = '';
  let since: HTMLTimeElement | undefined;
  let shownWaiters = '';
  let shownRenewal = '';

  function update(next: HeldLane): void {
    const now = clock.now();
    const hold = `${next.fence} ${next.owner} ${next.claimed_at}`;
    if (hold !== shownHold) {
      shownHold = hold;
      since = makeTime(next.claimed_at);
      owner.replaceChildren(makeAgent(next.owner), make('small', {}, 'for ', since));
      setText(fence, String(next.fence));
    }
    if (since) setSpan(since, now);
    paintLease(next, now);
    paintWaiters(lanes.waitersFor(next.lane));
    strip.update(next);
  }

  function paintLease(next: HeldLane, now: number): void {
    const seconds = Math.max(0, Math.ceil((Date.parse(next.expires_at) - now) / 1000));
    const share = Math.min(1, seconds / Math.max(1, next.lease_s));
    level.style.transform = `scaleX(${share.toFixed(4)})`;
    lease.dataset.level = share > 0.3 ? 'high' : share > 0.1 ? 'low' : 'last';
    setText(left, seconds === 0 ? 'runs out' : `${toDuration(seconds)} left`);
    const renewal = `${next.heartbeat_at} ${next.lease_s}`;
    if (renewal === shownRenewal) return;
    shownRenewal = renewal;
    left.title = `of ${toDuration(next.lease_s)}, claimed or renewed ${toExactTime(next.heartbeat_at)}`;
  }

  function paintWaiters(queue: readonly Waiter[]): void {
    const key = queue.map((waiter) => `${waiter.owner} ${waiter.since}`).join('\n');
    if (key !== shownWaiters) {
      shownWaiters = key;
      waiters.replaceChildren(...toWaiterParts(queue));
      element.classList.toggle('is-wanted', queue.length > 0);
    }
    if (queue.length === 0) return;
    for (const time of waiters.querySelectorAll('time')) setSpan(time, clock.now());
  }

  update(lane);
  return { element, update };
}

/** A lane whose holder let the lease run out, with the button that frees it. */
export function createOrphanRow(lane: HeldLane, parts: LaneRowParts): Row<HeldLane> {
  const owner = make('div', { class: 'owner', role: 'cell' });
  const fence = make('div', { class: 'fence', role: 'cell' });
  const strip = createStripCell(lane.lane, parts);
  let current = lane;
  const button = makeActionButton({
    text: 'Release',
    label: `Release lane ${lane.lane}`,
    action: () => parts.release(current),
  });
  const action = make('div', { class: 'lease', role: 'cell' }, button);
  const element = makeRow(lane.lane, owner, action, fence, strip.element);
  let shownHold = '';
  let expiredAt = makeTime(lane.expires_at);

  function update(next: HeldLane): void {
    current = next;
    const hold = `${next.fence} ${next.owner} ${next.expires_at}`;
    if (hold !== shownHold) {
      shownHold = hold;
      expiredAt = makeTime(next.expires_at);
      owner.replaceChildren(makeAgent(next.owner), make('small', {}, 'ran out ', expiredAt));
      setText(fence, String(next.fence));
    }
    setAge(expiredAt, parts.clock.now());
    strip.update(next);
  }

  update(lane);
  return { element, update };
}

export type FreeLane = Readonly<{ lane: string; owner: string; fence: number; ts: string; by?: string }>;

/** A lane that nobody holds now, but somebody did within the hour. */
export function createFreeRow(lane: FreeLane, parts: LaneRowParts): Row<FreeLane> {
  const owner = make('div', { class: 'owner', role: 'cell' });
  const freed = make('div', { class: 'lease', role: 'cell' });
  const fence = make('div', { class: 'fence', role: 'cell' });
  const strip = createStripCell(lane.lane, parts);
  const element = makeRow(lane.lane, owner, freed, fence, strip.element);
  let shown: FreeLane | undefined;

  function update(next: FreeLane): void {
    if (next.ts !== shown?.ts || next.owner !== shown.owner) {
      shown = next;
      owner.replaceChildren(makeAgent(next.owner));
      freed.replaceChildren(make('span', {}, 'released '), makeTime(next.ts));
      freed.title = next.by === undefined ? '' : `released by ${toVisibleName(next.by)}`;
      setText(fence, String(next.fence));
    }
    setAge(freed.querySelector('time') as HTMLTimeElement, parts.clock.now());
    strip.update(undefined);
  }

  update(lane);
  return { element, update };
}

function makeRow(lane: string, ...cells: readonly HTMLElement[]): HTMLElement {
  const shown = toBothEnds(lane, laneCharactersMax);
  const attributes = { class: 'lane-name', role: 'rowheader', title: lane, 'aria-label': lane };
  const name = make('div', attributes, makePeerText(shown));
  return make('div', { class: 'row', role: 'row' }, name, ...cells);
}

function toWaiterParts(queue: readonly Waiter[]): (Node | string)[] {
  if (queue.length === 0) return [];
  const shown = queue.slice(0, 5).map(({ owner, since }) => {
    const time = makeTime(since);
    return make('span', { class: 'waiter' }, makeAgent(owner), ' ', make('small', {}, 'for ', time));
  });
  const more = queue.length > shown.length ? [`and ${queue.length - shown.length} more`] : [];
  return [make('b', {}, `${queue.length} waiting`), ...shown, ...more];
}

function createStripCell(lane: string, { activity, clock, lanes }: LaneRowParts) {
  const strip = makeStrip();
  const element = make('div', { class: 'hour', role: 'cell' }, strip);
  // Not all of them in the same second.
  const offset = Math.random() * stripMilliseconds;
  let shown = '';

  function update(held: HeldLane | undefined): void {
    const to = clock.now();
    const events = activity.of(lane);
    const state = `${events.length} ${events.at(-1)?.id} ${held?.fence} ${held?.isOrphaned} ${Math.floor((to + offset) / stripMilliseconds)} ${activity.knownSince()}`;
    if (state === shown) return;
    shown = state;
    const window = { from: to - activityMilliseconds, to, knownSince: activity.knownSince() };
    const orphanedAt = (fence: number) => lanes.orphanedAt(lane, fence);
    paintStrip(strip, toTimeline({ events, held, window, orphanedAt }), window);
  }

  return { element, update };
}
