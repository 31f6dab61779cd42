import type { Call } from '../contract/contract.ts';
import type { Clock } from '../store/clock.ts';
import type { Bell } from './waiting.ts';

/**
 * Reads a page, and when it is empty waits for one until the time is over. The bell is taken before the read that
 * decides to wait, so that nothing can come in between unheard.
 */
export async function readOrWait<Page>({
  read,
  isEmpty,
  takeBell,
  clock,
  waitSeconds,
  call,
}: Readonly<{
  read: () => Promise<Page>;
  isEmpty: (page: Page) => boolean;
  takeBell: () => Bell;
  clock: Clock;
  waitSeconds: number;
  call: Call;
}>): Promise<Page> {
  const first = await read();
  if (waitSeconds === 0 || !isEmpty(first)) return first;
  const until = clock.now() + waitSeconds * 1000;
  for (;;) {
    const bell = takeBell();
    try {
      const page = await read();
      if (!isEmpty(page) || (await bell.rung(until, call.signal)) === 'time') return page;
    } finally {
      bell.leave();
    }
  }
}

/**
 * Lets callers that ask the same question between two commits share one answer: a post that wakes five thousand
 * waiters is read once. `generation` grows with each commit, so that no one who was rung is given an older answer.
 */
export function createSharedReads(generation: () => number) {
  const answers = new Map<string, Promise<unknown>>();

  function read<Answer>(question: string, ask: () => Promise<Answer>): Promise<Answer> {
    const key = `${generation()} ${question}`;
    const known = answers.get(key) as Promise<Answer> | undefined;
    if (known) return known;
    const asked = ask();
    answers.set(key, asked);
    // Shared by those who ask together, not kept: the next turn of the event loop asks anew.
    setImmediate(() => answers.delete(key));
    return asked;
  }

  return { read };
}
