import { type BusError, type ErrorData, toBusError } from '../contract/errors.ts';
import type { Refused } from './lanes.ts';

/** The sentences for refused lane operations: what happened, then what to do. */
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
      return toBusError('not_holder', toNotHolderSentence(refused.data, act, owner), refused.data);
  }
}

/** The refusal for a cursor that is older than what was pruned. */
export function toCursorExpired(cursor: number, prunedId: number, field: 'since' | 'since_id'): BusError {
  const detail =
    `what came right after the cursor ${cursor} was pruned, up to ${prunedId}: ` +
    `read on with ${field}=${prunedId}, and know that what lay between is gone`;
  return toBusError('cursor_expired', detail, { oldest_id: prunedId + 1 });
}

type NotHolder = ErrorData<'not_holder'>;

/** Begins the way other people's programs expect, then says what happened. */
function toNotHolderSentence(refused: NotHolder, act: string, caller: string): string {
  const { lane, owner, expires_in_s } = refused;
  if (act === 'release')
    return `lane '${lane}' held live by another owner, '${owner}' (lease ${expires_in_s}s remaining): leave it to them, or wait until the lease has run out`;
  return `lane '${lane}' not held live by '${caller}' -- claim it instead: ${toStory(refused, caller)}`;
}

function toStory({ owner, expires_in_s }: NotHolder, caller: string): string {
  if (owner === null) return 'nobody holds it';
  if (expires_in_s > 0) return `'${owner}' holds it (lease ${expires_in_s}s remaining)`;
  const end = `ran out ${-expires_in_s} s ago`;
  return owner === caller ? `the lease ${end}` : `'${owner}' held it last, and that lease ${end}`;
}
