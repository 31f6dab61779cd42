import { type EventEffect, effectOf } from './followed.ts';
import type { HeldLane } from './lanes.ts';
import type { LaneEvent } from './rows.ts';

/** A time during which one owner had the lane. From `lapsedAt` on the lease had run out. */
export type Span = {
  owner: string;
  fence: number;
  from: number;
  to: number;
  lapsedAt?: number | undefined;
  /** It began before what is shown. */
  isCutOff: boolean;
};

export type Mark = Readonly<{
  kind: NonNullable<EventEffect['mark']>;
  at: number;
  owner: string;
  by?: string;
}>;

export type Timeline = Readonly<{ spans: readonly Span[]; marks: readonly Mark[] }>;

/** Before `knownSince` nothing was loaded. */
export type Window = Readonly<{ from: number; to: number; knownSince?: number }>;

/** What the events of one lane, and who holds it now, come to within a window of time. */
export function toTimeline(
  asked: Readonly<{
    events: readonly LaneEvent[];
    held: HeldLane | undefined;
    window: Window;
    orphanedAt?: (fence: number) => number | undefined;
  }>,
): Timeline {
  const { events, held, window, orphanedAt = () => undefined } = asked;
  const spans: Span[] = [];
  const marks: Mark[] = [];
  const knownFrom = Math.max(window.from, window.knownSince ?? window.from);
  let open: Span | undefined;

  function close(owner: string | undefined, fence: number, at: number, expiredAt: string | undefined): void {
    // Its beginning lies before the window, or before what is known.
    open ??=
      owner === undefined
        ? undefined
        : { owner, fence, from: Math.min(knownFrom, at), to: at, isCutOff: true };
    if (!open) return;
    // Older buses did not tell; then only what this page saw itself is known.
    const lapsedAt = expiredAt === undefined ? orphanedAt(open.fence) : Date.parse(expiredAt);
    spans.push({ ...open, to: at, lapsedAt: lapsedAt === at ? undefined : lapsedAt });
    open = undefined;
  }

  for (const event of events) {
    const { ts, owner, fence, previous_owner, previous_expires_at, released_by } = event;
    const at = Date.parse(ts);
    const { mark } = effectOf(event);
    if (at < window.from || !mark) continue;
    if (mark === 'release') {
      close(owner, fence, at, previous_expires_at);
      marks.push({ kind: mark, at, owner, ...(released_by !== undefined && { by: released_by }) });
    } else {
      close(previous_owner, fence - 1, at, previous_expires_at);
      marks.push({ kind: mark, at, owner });
      open = { owner, fence, from: at, to: window.to, isCutOff: false };
    }
  }
  const last = held && toLastSpan(held, window, open);
  if (last) spans.push(last);
  return { spans: joinNarrow(spans, window), marks: thin(marks, window) };
}

/** For those who do not see the strip. */
export function toTimelineText({ spans, marks }: Timeline): string {
  const count = (kind: Mark['kind']) => marks.filter((mark) => mark.kind === kind).length;
  const parts = [
    toCount(count('claim'), 'claim'),
    toCount(count('steal'), 'steal'),
    toCount(count('release'), 'release'),
    toCount(spans.filter(({ lapsedAt }) => lapsedAt !== undefined).length, 'lease', ' ran out'),
  ];
  const told = parts.filter((part) => part !== '');
  return told.length === 0 ? 'The last hour: no change' : `The last hour: ${told.join(', ')}`;
}

function toCount(count: number, noun: string, verb = ''): string {
  if (count === 0) return '';
  return `${count} ${noun}${count === 1 ? '' : 's'}${verb}`;
}

/** The hold that the status tells of, which also knows a beginning that no event within the window told. */
function toLastSpan(held: HeldLane, window: Window, open: Span | undefined): Span | undefined {
  const claimedAt = Date.parse(held.claimed_at);
  const from = Math.max(open?.from ?? claimedAt, window.from);
  if (from > window.to) return undefined;
  const lapsedAt = held.isOrphaned ? Date.parse(held.expires_at) : undefined;
  const { owner, fence } = held;
  return { owner, fence, from, to: window.to, lapsedAt, isCutOff: claimedAt < window.from };
}

/** A strip is a few hundred pixels wide: neighbours of one owner that nobody could tell apart become one. */
function joinNarrow(spans: readonly Span[], window: Window): Span[] {
  const apart = (window.to - window.from) / 400;
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last && last.owner === span.owner && !last.lapsedAt && span.from - last.to < apart) {
      last.to = span.to;
      last.fence = span.fence;
      last.lapsedAt = span.lapsedAt;
    } else joined.push({ ...span });
  }
  return joined.slice(-spansMax);
}

const spansMax = 200;
const marksMax = 120;

/** A mark hides its like right after it; steals are never hidden. */
function thin(marks: readonly Mark[], window: Window): Mark[] {
  const apart = (window.to - window.from) / 150;
  const kept: Mark[] = [];
  const lastAt = new Map<Mark['kind'], number>();
  for (const mark of marks) {
    if (mark.kind !== 'steal' && mark.at - (lastAt.get(mark.kind) ?? 0) < apart) continue;
    lastAt.set(mark.kind, mark.at);
    kept.push(mark);
  }
  return kept.slice(-marksMax);
}
