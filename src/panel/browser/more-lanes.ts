import type { Api } from './api.ts';
import type { HeldLane } from './lanes.ts';

const lanesPerPage = 500;
const pagesMax = 20;
const typingMilliseconds = 250;
const freshMilliseconds = 3_000;

/**
 * The lanes beyond those that the status lists, which is cut when there are very many. They are looked through while
 * somebody looks for a lane or an owner; no status keeps them up to date, so that is done again every few seconds.
 */
export function createMoreLanes({ api, onFound }: Readonly<{ api: Api; onFound: () => void }>) {
  let wanted = '';
  let found: readonly HeldLane[] = [];
  let reach = '';
  let askedAt = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;

  /** Those that fit as they were when they were last looked through. */
  function find(words: string, isWanted: (lane: HeldLane) => boolean): readonly HeldLane[] {
    if (words !== wanted) {
      wanted = words;
      found = [];
      reach = '';
      askedAt = Number.NEGATIVE_INFINITY;
    }
    if (words !== '' && performance.now() - askedAt > freshMilliseconds) {
      askedAt = performance.now();
      clearTimeout(timer);
      timer = setTimeout(() => void look(words, isWanted).catch(() => {}), typingMilliseconds);
    }
    return found;
  }

  async function look(words: string, isWanted: (lane: HeldLane) => boolean): Promise<void> {
    const fitting: HeldLane[] = [];
    let count = 0;
    let isWhole = false;
    let after: string | undefined;
    for (let pages = 0; pages < pagesMax && !isWhole; pages += 1) {
      const { lanes, has_more } = await api.listLanes({ limit: lanesPerPage, after });
      // Somebody typed on.
      if (words !== wanted) return;
      const held = lanes.map((lane) => ({ ...lane, isOrphaned: lane.expires_in_s <= 0 }));
      fitting.push(...held.filter(isWanted));
      count += lanes.length;
      after = lanes.at(-1)?.lane;
      isWhole = !has_more;
    }
    found = fitting;
    reach = isWhole ? `Looked among all ${count}.` : `Looked among the first ${count} by name.`;
    onFound();
  }

  return {
    find,
    /** How far they were looked through, once they were. */
    reach: () => reach,
  };
}
