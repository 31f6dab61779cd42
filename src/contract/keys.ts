import { toInvalidInput } from './input.ts';
import { idempotencyKeyPattern, limits } from './limits.ts';

/**
 * Creates idempotency keys. They begin with the time, so that a store that sorts them can append, and end with text
 * that is unique to this process.
 */
export function createKeyMaker(): () => string {
  let count = 0;
  let process: string | undefined;
  return () => {
    process ??= crypto.randomUUID().replaceAll('-', '').slice(0, 16);
    count += 1;
    return `${Date.now().toString(36)}-${count.toString(36).padStart(6, '0')}-${process}`;
  };
}

/** Refuses a key that a header cannot carry unchanged. */
export function checkIdempotencyKey(key: string): void {
  if (idempotencyKeyPattern.test(key)) return;
  const message = `must be 1 to ${limits.idempotencyKeyCharactersMax} visible ASCII characters without blanks`;
  throw toInvalidInput([{ field: 'idempotency-key', message }]);
}
