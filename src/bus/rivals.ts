import type { HeldLaneRow, Waiter } from '../store/rows.ts';
import { overlaps } from './scopes.ts';

/**
 * Who else a claim may have to give way to: the lanes that hold scopes, and those who came before and still wait. Needed
 * only where somebody uses scopes; without them a claim depends on nothing but its lane.
 */
export type Rivals = Readonly<{
  lanes: readonly HeldLaneRow[];
  /** First come first. */
  waiters: readonly Waiter[];
}>;

/** One path that is asked for, and what stands against it. */
export type Conflict = {
  path: string;
  lane: string;
  owner: string;
  held_path: string;
  expires_in_s: number;
  note?: string;
  /** Nobody holds it yet: its owner came before, and waits. */
  is_next?: true;
};

export type PathRequest = Readonly<{
  lane?: string | undefined;
  owner: string;
  paths?: readonly string[] | undefined;
  /** What the owner holds with the lane already: nobody who waits for it goes first. */
  heldPaths?: readonly string[] | undefined;
}>;

/** The claim of another owner that waits for this lane with scopes, and so has not got it though it may be free. */
export function findEarlierClaim(
  rivals: Rivals | undefined,
  { lane, owner }: Readonly<{ lane: string; owner: string }>,
): Waiter | undefined {
  return rivals?.waiters.find((waiter) => waiter.lane === lane && waiter.owner !== owner);
}

/** What others hold live, or wait for, of the paths that are asked for. The same owner never conflicts with itself. */
export function findConflicts(
  rivals: Rivals | undefined,
  { lane, owner, paths = [], heldPaths = [] }: PathRequest,
  now: number,
): readonly Conflict[] {
  if (!rivals || paths.length === 0) return [];
  const others = rivals.lanes.filter(
    (row) => row.hold.owner !== owner && row.lane !== lane && now < row.hold.expiresAt,
  );
  const earlier = rivals.waiters.filter((waiter) => waiter.owner !== owner);
  return paths.flatMap((path) => [
    ...others.flatMap((row) =>
      toConflicts(path, { ...row.hold, lane: row.lane, expires_in_s: toSeconds(row, now) }),
    ),
    ...(heldPaths.includes(path)
      ? []
      : earlier.flatMap((waiter) => toConflicts(path, { ...waiter, expires_in_s: 0, is_next: true }))),
  ]);
}

/** The lanes that a waiting claim waits for: its own, or those whose holders or waiters stand against its paths. */
export function findBlockers(waiter: Waiter, rivals: Rivals, now: number): readonly string[] {
  const conflicts = findConflicts(rivals, waiter, now);
  return conflicts.length === 0 ? [waiter.lane] : [...new Set(conflicts.map(({ lane }) => lane))];
}

type Rival = Readonly<{
  lane: string;
  owner: string;
  paths?: readonly string[] | undefined;
  note?: string | undefined;
  expires_in_s: number;
  is_next?: true;
}>;

function toConflicts(
  path: string,
  { lane, owner, paths = [], note, expires_in_s, is_next }: Rival,
): Conflict[] {
  const rest = { expires_in_s, ...(note !== undefined && { note }), ...(is_next && { is_next }) };
  return paths
    .filter((heldPath) => overlaps(path, heldPath))
    .map((heldPath) => ({ path, lane, owner, held_path: heldPath, ...rest }));
}

/** Rounded up, so that what is live never shows 0. */
function toSeconds({ hold }: HeldLaneRow, now: number): number {
  return Math.ceil((hold.expiresAt - now) / 1000);
}
