// Holds the actions on a lane against the model of the test suite, with its checker.
import { load } from './typescript.mjs';

/** How far the clock of the bus may be from this one: both are of the same machine. */
const clockMillisecondsMax = 100;

export async function loadModel() {
  const { isLinearizable } = await load('test/histories/checker.ts');
  const { toVerdict } = await load('test/model/lane.ts');

  /**
   * The bus may have given back the time in which the database was away, or may have had no need to: either explains
   * what it answered. It was away for everybody a little longer than it took to start again.
   */
  function isExplained(history, pauses) {
    if (isLinearizable(history, 0)) return true;
    const timesOf = pauses.flatMap(({ from, to }) =>
      [0, 1_000, 3_000, 6_000].map((more) => ({ from: from - 1_000, to: to + more })),
    );
    return timesOf.some((pause) => isLinearizable(withPause(history, pause), 0));
  }

  /** Whether the model answers every action that changed the lane, or could have, as the bus did; and when it was due. */
  return function checkHistory({ lane, actions, events, pauses = [] }) {
    const releases = new Map(
      events.filter(({ kind }) => kind === 'lane_released').map(({ fence, ts }) => [fence, Date.parse(ts)]),
    );
    const timed = actions
      .filter(({ status }) => status === 200)
      .map((action) => ({ ...action, at: timeOf(action, releases) }))
      .filter(({ at }) => at !== undefined);
    const faults = timed
      .filter(({ at, startedAt, endedAt }) => {
        return at < startedAt - clockMillisecondsMax || at > endedAt + clockMillisecondsMax;
      })
      .map(({ action, at, startedAt, endedAt }) => {
        return `lane ${lane}: ${action.act} by ${action.owner} was decided at ${at}, and asked from ${startedAt} to ${endedAt}`;
      });
    const history = toHistory(timed, toVerdict);
    if (history.length > 0 && !isExplained(history, pauses)) {
      faults.push(`lane ${lane}: no order of the actions explains the answers:\n${print(timed)}`);
    }
    return faults;
  };
}

/** The history with a pause before the first moment after it; the entries are counted again. */
function withPause(history, pause) {
  const place = history.findIndex(({ time }) => time !== undefined && time >= pause.to);
  const at = place < 0 ? history.length : place;
  const tick = at < history.length ? history[at].began : history.length + 1;
  const later = history
    .slice(at)
    .map((entry) => ({ ...entry, began: entry.began + 1, ended: entry.ended + 1 }));
  return [...history.slice(0, at), { began: tick, ended: tick, pause }, ...later];
}

/** When the bus decided it, by its own clock; a lane that was free already tells nothing. */
function timeOf({ action, answer }, releases) {
  if (action.act === 'post') return Date.parse(answer.ts);
  if (action.act === 'release') {
    return answer.decision === 'released' ? releases.get(answer.fence) : undefined;
  }
  return Date.parse(answer.lane.heartbeat_at);
}

/** Actions of the same millisecond may have come in any order, all others as their times say. */
function toHistory(timed, toVerdict) {
  const groups = Map.groupBy
    ? Map.groupBy(timed, ({ at }) => at)
    : timed.reduce((all, one) => all.set(one.at, [...(all.get(one.at) ?? []), one]), new Map());
  const entries = [];
  let tick = 0;
  for (const [at, group] of [...groups].sort(([a], [b]) => a - b)) {
    tick += 1;
    entries.push({ began: tick, ended: tick, time: at });
    const ended = tick + group.length;
    for (const { action, answer } of group) {
      tick += 1;
      entries.push({ began: tick, ended, action, verdict: toVerdict(action.act, answer) });
    }
  }
  return entries;
}

function print(timed) {
  return timed
    .sort((a, b) => a.at - b.at)
    .map(({ action, answer, at }) => `  ${at} ${JSON.stringify(action)} → ${JSON.stringify(answer)}`)
    .join('\n');
}
