import { type BusError, toBusError } from '../contract/errors.ts';
import type { Refused } from './lanes.ts';

/** The sentences of refused lane operations: what happened, then what to do. */
export function toLaneRefusal(
  refused: Refused,
  act: 'claim' | 'heartbeat' | 'release' | 'post',
  owner: string,
): BusError {
  switch (refused.refused) {
    case 'lane_held': {
      const { lane, owner: holder, expires_in_s } = refused.data;
      return toBusError(
        'lane_held',
        `lane '${lane}' held by '${holder}' (lease ${expires_in_s}s remaining): wait for it with wait_s, or claim another lane`,
        refused.data,
      );
    }
    case 'stale_fence': {
      const { lane, fence } = refused.data;
      return toBusError(
        'stale_fence',
        `the fence given is not the one of lane '${lane}', which is ${fence}: stop what was begun under the old one, and claim the lane again`,
        refused.data,
      );
    }
    case 'not_holder':
      return toBusError('not_holder', notHolderSentence(refused.data.lane, act, owner), refused.data);
  }
}

/** The refusal for a cursor that is older than what was pruned. */
export function toCursorExpired(cursor: number, prunedId: number, field: 'since' | 'since_id'): BusError {
  const detail =
    `what came right after the cursor ${cursor} was pruned, up to ${prunedId}: ` +
    `read on with ${field}=${prunedId}, and know that what lay between is gone`;
  return toBusError('cursor_expired', detail, { oldest_id: prunedId + 1 });
}

function notHolderSentence(lane: string, act: string, owner: string): string {
  if (act === 'release')
    return `lane '${lane}' held live by another owner: leave it to them, or wait until its lease has run out`;
  return `lane '${lane}' not held live by '${owner}' -- claim it instead`;
}
