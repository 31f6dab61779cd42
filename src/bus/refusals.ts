import { type BusError, type ErrorData, isRefusal, toBusError } from '../contract/errors.ts';
import type { Refused } from './lanes.ts';

/** The sentences for refused lane operations: what happened, then what to do. */
export function toLaneRefusal(
  refused: Refused,
  act: 'claim' | 'heartbeat' | 'release' | 'post',
  owner: string,
): BusError {
  switch (refused.refused) {
    case 'lane_held': {
      const { lane, owner: holder, is_next } = refused.data;
      const whose = is_next
        ? `lane '${lane}' is free and goes to '${holder}', who came before and still waits for its paths`
        : `lane '${lane}' held by '${holder}' ${toWork(refused.data)}`;
      return toBusError(
        'lane_held',
        `${whose}: wait for it with wait_s, or claim another lane`,
        refused.data,
      );
    }
    case 'paths_held':
      return toBusError('paths_held', toConflictSentence(refused.data), refused.data);
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

/** Whether a claim was refused for what others hold or wait for: waiting helps. */
export function isBlocked(error: unknown): error is BusError {
  return isRefusal(error, 'lane_held') || isRefusal(error, 'paths_held');
}

/** The lanes whose end such a claim waits for. */
export function toBlockers(refusal: BusError): readonly string[] {
  const blockers = (refusal.data as Readonly<{ blocked_by?: readonly string[] }>).blocked_by;
  return blockers ?? [];
}

/** How long still, and what for in the owner's words. */
function toWork({
  expires_in_s,
  note,
}: Readonly<{ expires_in_s: number; note?: string | undefined }>): string {
  const lease = `(lease ${expires_in_s}s remaining)`;
  return note === undefined ? lease : `${lease}: ${JSON.stringify(note)}`;
}

/** Each path that is asked for with whoever stands against it; what is more than a few stands in the data alone. */
function toConflictSentence({ conflicts }: ErrorData<'paths_held'>): string {
  const shown = conflicts
    .slice(0, conflictsInSentenceMax)
    .map(({ path, held_path, lane, owner, is_next, ...work }) => {
      const what = path === held_path ? `'${path}'` : `'${path}' (as '${held_path}')`;
      if (is_next) return `${what} goes to '${owner}' first, who waits for it with lane '${lane}'`;
      return `${what} is held by '${owner}' with lane '${lane}' ${toWork(work)}`;
    });
  const more = conflicts.length - shown.length;
  const rest = more > 0 ? `; and ${more} more` : '';
  return `${shown.join('; ')}${rest}. Wait with wait_s, claim other paths, or ask the owner`;
}

const conflictsInSentenceMax = 3;

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
