import type { BusError } from '../../src/contract/errors.ts';

/** The rules of a lane once more, in as few words as they allow: what the engine is held against. */

export type Lane = Readonly<{
  fence: number;
  holder?: Readonly<{ owner: string; since: number; until: number; lease: number }>;
}>;

export type Action =
  | Readonly<{ act: 'claim'; owner: string; lease: number }>
  | Readonly<{ act: 'heartbeat'; owner: string; lease: number; fence?: number | undefined }>
  | Readonly<{ act: 'release'; owner: string; fence?: number | undefined }>
  | Readonly<{ act: 'post'; owner: string; fence: number }>;

/** What came of a action, as far as the rules say it. */
export type Verdict = Readonly<Record<string, string | number | null>>;

export const unclaimed: Lane = { fence: 0 };

/** Whoever holds the lane at that time; a lease ends at its last moment. */
export function holderAt({ holder }: Lane, now: number): string | undefined {
  return holder && now < holder.until ? holder.owner : undefined;
}

/** The bus was stopped: who held the lane when that began has at least so long afterwards to renew once more. */
export function pass(lane: Lane, { from, to }: Readonly<{ from: number; to: number }>): Lane {
  const { holder } = lane;
  if (!holder || holder.until <= from) return lane;
  const grace = Math.min(holder.lease, Math.ceil(holder.lease / 3) + 15);
  return { ...lane, holder: { ...holder, until: Math.max(holder.until, to + grace * 1000) } };
}

export function perform(lane: Lane, action: Action, now: number): readonly [Lane, Verdict] {
  const { fence, holder } = lane;
  const liveOwner = holderAt(lane, now);
  const left = holder ? Math.ceil((holder.until - now) / 1000) || 0 : 0;
  const lost: Verdict = { refused: 'not_holder', owner: holder?.owner ?? null, left };

  if (action.act !== 'claim' && action.fence !== undefined && action.fence !== fence) {
    return [lane, { refused: 'stale_fence', fence }];
  }
  switch (action.act) {
    case 'claim': {
      if (liveOwner !== undefined && liveOwner !== action.owner) {
        return [lane, { refused: 'lane_held', owner: liveOwner, left, fence }];
      }
      if (liveOwner !== undefined) return granted('renew', fence, action, holder?.since ?? now, now);
      return granted(holder ? 'steal' : 'claim', fence + 1, action, now, now);
    }
    case 'heartbeat':
      return liveOwner === action.owner
        ? granted('heartbeat', fence, action, holder?.since ?? now, now)
        : [lane, lost];
    case 'release':
      if (!holder) return [lane, { released: 'free', fence }];
      if (liveOwner !== undefined && liveOwner !== action.owner) return [lane, lost];
      return [{ fence }, { released: 'released', fence, owner: holder.owner }];
    case 'post':
      return [lane, liveOwner === action.owner ? { posted: 'posted' } : lost];
  }
}

function granted(
  decision: string,
  fence: number,
  { owner, lease }: Readonly<{ owner: string; lease: number }>,
  since: number,
  now: number,
): readonly [Lane, Verdict] {
  const until = now + lease * 1000;
  return [
    { fence, holder: { owner, since, until, lease } },
    { granted: decision, owner, fence, since, until },
  ];
}

type Granted = Readonly<{
  decision: string;
  lane: Readonly<{ owner: string; fence: number; claimed_at: string; expires_at: string }>;
}>;

/** What the bus answered, in the words of the model. */
export function toVerdict(act: Action['act'], answer: unknown): Verdict {
  if (act === 'post') return { posted: 'posted' };
  if (act === 'release') {
    const { decision, fence, owner } = answer as { decision: string; fence: number; owner?: string };
    return { released: decision, fence, ...(owner !== undefined && { owner }) };
  }
  const { decision, lane } = answer as Granted;
  const [since, until] = [Date.parse(lane.claimed_at), Date.parse(lane.expires_at)];
  return { granted: decision, owner: lane.owner, fence: lane.fence, since, until };
}

/** How the bus refused, in the words of the model. */
export function toRefusedVerdict({ code = '', data }: BusError): Verdict {
  const { owner, expires_in_s: left, fence } = data as RefusalData;
  if (code === 'stale_fence') return { refused: code, fence };
  return code === 'lane_held' ? { refused: code, owner, left, fence } : { refused: code, owner, left };
}

type RefusalData = Readonly<{ owner: string | null; expires_in_s: number; fence: number }>;
