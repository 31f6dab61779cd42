// What must be true after every kill. Pure: from what was recorded and what was found, to sentences about faults.
import { markOf } from './record.mjs';

/** The whole log as it was read, oldest first, against every message that was acknowledged. */
export function checkMessages(found, record, firstId) {
  const faults = [];
  const seen = new Set();
  let expected = firstId;
  for (const message of found) {
    if (message.id !== expected) faults.push(`after message ${expected - 1} comes ${message.id}: a gap`);
    expected = message.id + 1;
    const mark = markOf(message);
    if (seen.has(mark)) faults.push(`message ${message.id}: what was asked once is there twice (${mark})`);
    seen.add(mark);
    const acknowledged = record.messages.get(message.id);
    if (acknowledged && !isSame(acknowledged, message)) {
      faults.push(`message ${message.id} is not the one that was acknowledged`);
    }
  }
  const last = expected - 1;
  const lost = [...record.messages.keys()].filter((id) => id > last || id < firstId);
  for (const id of lost) faults.push(`message ${id} was acknowledged and is lost`);
  return { faults, lost: lost.length };
}

/** The feed as it was read, oldest first: no gaps, and each lane's fences grow by one with every grant. */
export function checkEvents(found, firstId) {
  const faults = [];
  const fences = new Map();
  for (const [index, event] of found.entries()) {
    if (event.id !== firstId + index) faults.push(`event ${firstId + index} is ${event.id}: a gap`);
    if (event.kind !== 'lane_claimed' && event.kind !== 'lane_stolen') continue;
    const before = fences.get(event.lane) ?? 0;
    if (event.fence !== before + 1) {
      faults.push(`lane ${event.lane}: fence ${event.fence} was granted after ${before}`);
    }
    fences.set(event.lane, event.fence);
  }
  return faults;
}

/** The actions on one lane as they were answered, and its events: one holder at a time, one grant for each fence. */
export function checkLane({ lane, actions, events }) {
  const faults = [];
  const grants = new Map();
  for (const event of events) {
    if (event.kind === 'lane_released') {
      const grant = grants.get(event.fence);
      if (grant) grant.releasedAt = Date.parse(event.ts);
    } else {
      const { owner, fence, ts, expires_at } = event;
      grants.set(fence, {
        owner,
        from: Date.parse(ts),
        renewedAt: Date.parse(ts),
        until: Date.parse(expires_at),
      });
    }
  }
  const keyOfGrant = new Map();
  for (const { action, key, status, answer } of actions) {
    if (status === 200 && answer.lane?.fence !== undefined) {
      noteGrant({ action, key, answer, grants, keyOfGrant, lane, faults });
    } else if (status === 409 && answer.code === 'lane_held') {
      const { owner, fence } = answer.data;
      if (grants.get(fence)?.owner !== owner)
        faults.push(`lane ${lane}: refused for ${owner} under fence ${fence}, who never held it`);
    }
  }
  return [...faults, ...checkOverlap(lane, grants)];
}

function noteGrant({ action, key, answer, grants, keyOfGrant, lane, faults }) {
  const { owner, fence, expires_at } = answer.lane;
  const grant = grants.get(fence);
  if (owner !== action.owner || grant?.owner !== owner) {
    faults.push(
      `lane ${lane}: fence ${fence} was answered to ${action.owner} and is ${grant?.owner ?? 'nobody'}'s in the feed`,
    );
  }
  if (grant) renew(grant, Date.parse(answer.lane.heartbeat_at), Date.parse(expires_at));
  if (answer.decision !== 'claim' && answer.decision !== 'steal') return;
  const other = keyOfGrant.get(fence);
  if (other !== undefined && other !== key) {
    faults.push(`lane ${lane}: fence ${fence} was granted twice, by ${other} and ${key}`);
  }
  keyOfGrant.set(fence, key);
}

/** The last renewal says when the lease ends, also when it made it shorter. */
function renew(grant, renewedAt, until) {
  if (renewedAt < grant.renewedAt) return;
  grant.until = renewedAt === grant.renewedAt ? Math.min(grant.until, until) : until;
  grant.renewedAt = renewedAt;
}

function checkOverlap(lane, grants) {
  const faults = [];
  let before;
  for (const [fence, grant] of [...grants].sort(([a], [b]) => a - b)) {
    const end = before && Math.min(before.releasedAt ?? Number.POSITIVE_INFINITY, before.until);
    if (before && grant.from < end) {
      faults.push(
        `lane ${lane}: ${grant.owner} was granted fence ${fence} ${end - grant.from} ms before the lease of ${before.owner} ended`,
      );
    }
    before = grant;
  }
  return faults;
}

/** What a repeated request was answered, against its first answer. */
export function checkRepeat({ path, key, text }, reply) {
  if (reply.status === 200 && reply.text === text) return [];
  return [`${path} with key ${key} was answered ${text} at first and ${reply.status} ${reply.text} now`];
}

function isSame(one, other) {
  return (
    one.topic === other.topic &&
    one.sender === other.sender &&
    one.body === other.body &&
    one.action_flag === other.action_flag &&
    one.ts === other.ts
  );
}
