// Holds the actions on a lane against the model of the test suite, with its checker.
import { load } from './typescript.mjs';

/** How far the clock of the bus may be from this one: both are of the same machine. */
const clockMillisecondsMax = 100;

export async function loadModel() {
  const { isLinearizable } = await load('test/histories/checker.ts');
  const { toVerdict } = await load('test/model/lane.ts');

  /** Whether the model answers every action that changed the lane, or could have, as the bus did; and when it was due. */
  return function checkHistory({ lane, actions, events }) {
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
    if (history.length > 0 && !isLinearizable(history, 0)) {
      faults.push(`lane ${lane}: no order of the actions explains the answers:\n${print(timed)}`);
    }
    return faults;
  };
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
