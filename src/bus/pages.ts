import type { Call } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import type { Clock } from '../store/clock.ts';
import type { EngineParts } from './parts.ts';
import type { Seats } from './seats.ts';
import type { Bell } from './waiting.ts';

/**
 * Reads a page, and if it is empty waits for one until the time is over. It subscribes to the bell before the read
 * that decides whether to wait, so that no change in between goes unnoticed.
 */
export async function readOrWait<Page>({
  read,
  isEmpty,
  takeBell,
  seats,
  clock,
  waitSeconds,
  call,
}: Readonly<{
  read: () => Promise<Page>;
  isEmpty: (page: Page) => boolean;
  takeBell: () => Bell;
  seats: Seats;
  clock: Clock;
  waitSeconds: number;
  call: Call;
}>): Promise<Page> {
  const first = await read();
  if (waitSeconds === 0 || !isEmpty(first)) return first;
  const seat = seats.take();
  if ('refusal' in seat) throw seat.refusal;
  const until = clock.now() + waitSeconds * 1000;
  try {
    for (;;) {
      const bell = takeBell();
      try {
        const page = await read();
        if (!isEmpty(page) || (await bell.rung(until, call.signal)) === 'time') return page;
      } finally {
        bell.leave();
      }
    }
  } finally {
    seat.leave();
  }
}

/**
 * Cuts the rows to what a page may hold, and says whether there are more. `rows` is the store's result when it was
 * asked for one more than `limit`.
 *
 * The size of the bodies is measured as JSON, because that is what stays in memory until a reader has taken it.
 */
export function cutPage<Row>(
  rows: readonly Row[],
  limit: number,
  bodyOf: (row: Row) => string | undefined,
): Readonly<{ page: readonly Row[]; hasMore: boolean }> {
  const bytesMost = rows.reduce((sum, row) => sum + toJsonBytesMost(bodyOf(row)), 0);
  const count = bytesMost <= limits.pageBytesMax ? rows.length : countFitting(rows.map(bodyOf));
  const page = rows.slice(0, Math.min(count, limit));
  return { page, hasMore: page.length < rows.length };
}

/**
 * An escape has six bytes, and nothing is longer. If a page is below the limit with this estimate, it need not be
 * measured.
 */
function toJsonBytesMost(body = ''): number {
  return 6 * body.length + 2;
}

function countFitting(bodies: readonly (string | undefined)[]): number {
  let bytes = 0;
  const beyond = bodies.findIndex((body) => {
    if (body !== undefined) bytes += Buffer.byteLength(JSON.stringify(body));
    return bytes > limits.pageBytesMax;
  });
  return beyond < 0 ? bodies.length : Math.max(1, beyond);
}

/**
 * Lets callers that ask the same question between two changes share one result, the very same object. A post that
 * wakes five thousand waiters is then read only once. So is a page that is requested again and again.
 *
 * If other processes write to the store too, or if the result is large, only callers that ask at the same time share
 * it.
 */
export function createSharedReads<Answer>({
  parts: { store, waiting },
  answersMax = limits.sharedAnswersMax,
  toCharacters,
}: Readonly<{
  parts: Pick<EngineParts, 'store' | 'waiting'>;
  answersMax?: number;
  /** Roughly how much memory the result takes. */
  toCharacters: (answer: Answer) => number;
}>) {
  let answers = new Map<string, Promise<Answer>>();
  let answersOf = -1;

  function read(question: string, ask: () => Promise<Answer>): Promise<Answer> {
    const version = store.version?.() ?? waiting.generation();
    const known = version === answersOf ? answers.get(question) : undefined;
    if (known) return known;
    if (version !== answersOf || answers.size >= answersMax) {
      answers = new Map();
      answersOf = version;
    }
    const asked = ask();
    share(answers, question, asked);
    return asked;
  }

  function share(among: Map<string, Promise<Answer>>, question: string, asked: Promise<Answer>): void {
    among.set(question, asked);
    const forget = () => among.delete(question);
    asked.then((answer) => {
      if (toCharacters(answer) > limits.sharedAnswerCharactersMax) forget();
    }, forget);
    if (!store.version) setImmediate(forget);
  }

  return { read };
}
