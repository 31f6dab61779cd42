import { createHash } from 'node:crypto';
import { toBusError } from '../contract/errors.ts';
import { checkIdempotencyKey } from '../contract/keys.ts';
import { limits } from '../contract/limits.ts';
import type { AnswerRow, Repeat } from '../store/rows.ts';
import type { Asks, Outcome, View } from '../store/store.ts';

/** What identifies the request; undefined when the caller gave no key. */
export function toRepeat(
  operation: string,
  input: Readonly<Record<string, unknown>>,
  key: string | undefined,
): Repeat | undefined {
  if (key === undefined) return undefined;
  checkIdempotencyKey(key);
  // How long a caller is willing to wait is not part of the request.
  const { wait_s: _wait, ...asked } = input;
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([operation, asked]))
    .digest('base64url');
  return { key, fingerprint };
}

/** Requests without a key are never the same. */
export function isSameRequest(one: Repeat | undefined, other: Repeat | undefined): boolean {
  return one !== undefined && one.key === other?.key && one.fingerprint === other.fingerprint;
}

/**
 * Decides a request only once. The first response is stored in the same commit as its changes, and a repeat gets
 * that response. A refusal is not stored: it changed nothing, so a repeat is simply decided again.
 */
export function decideOnce<Answer>(
  repeat: Repeat | undefined,
  view: Pick<View, 'now' | 'find'>,
  decide: () => Outcome<Answer>,
): Outcome<Answer> {
  const known = repeat && view.find('answers', repeat.key);
  const first = known && view.now < known.keptUntil ? known : undefined;
  if (first && first.fingerprint !== repeat?.fingerprint) {
    const detail = `the idempotency key '${first.key}' was used for another request: use a new key for a new request`;
    return { refusal: toBusError('idempotency_conflict', detail, { key: first.key }) };
  }
  if (first) return { answer: JSON.parse(first.answer) as Answer };
  const outcome = decide();
  if (!repeat || 'refusal' in outcome) return outcome;
  const answers = [...(outcome.rows?.answers ?? []), toAnswerRow(repeat, outcome.answer, view.now)];
  return { ...outcome, rows: { ...outcome.rows, answers } };
}

/** What a turn must ask for so that it is decided only once. */
export function askOnce(repeat: Repeat | undefined): Pick<Asks, 'answers'> {
  return repeat ? { answers: [repeat.key] } : {};
}

export function toAnswerRow(repeat: Repeat, answer: unknown, now: number): AnswerRow {
  return {
    ...repeat,
    answer: JSON.stringify(answer),
    keptUntil: now + limits.idempotencyKeyKeptHours * 3_600_000,
  };
}
