import { type Action, type Lane, pass, perform, unclaimed, type Verdict } from '../model/lane.ts';

/** Something that was asked and answered; `began` and `ended` count what happened in the whole schedule. */
export type Entry = Readonly<{ began: number; ended: number }> &
  (
    | Readonly<{ action: Action; verdict: Verdict }>
    | Readonly<{ time: number }>
    | Readonly<{ pause: Readonly<{ from: number; to: number }> }>
  );

/**
 * Whether there is an order of the entries, true to who had ended before whom began, in which the model of the lane
 * answers each action as the bus did (Herlihy and Wing's linearizability; the search is that of Wing and Gong, which
 * never tries the same actions on the same lane twice).
 */
export function isLinearizable(history: readonly Entry[], startsAt: number): boolean {
  const entries = history.toSorted((a, b) => a.began - b.began);
  const tried = new Set<string>();

  function search(left: readonly Entry[], lane: Lane, now: number): boolean {
    if (left.length === 0) return true;
    const key = JSON.stringify([left.map(({ began }) => began), lane, now]);
    if (tried.has(key)) return false;
    tried.add(key);
    const firstEnd = Math.min(...left.map(({ ended }) => ended));
    return left.some((entry) => {
      if (entry.began > firstEnd) return false;
      const others = left.filter((other) => other !== entry);
      if ('time' in entry) return search(others, lane, entry.time);
      if ('pause' in entry) return search(others, pass(lane, entry.pause), entry.pause.to);
      const [after, verdict] = perform(lane, entry.action, now);
      return isSame(verdict, entry.verdict) && search(others, after, now);
    });
  }

  return search(entries, unclaimed, startsAt);
}

function isSame(a: Verdict, b: Verdict): boolean {
  const fields = Object.keys(a);
  return fields.length === Object.keys(b).length && fields.every((field) => a[field] === b[field]);
}
