import type { Call } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import type { Clock } from '../store/clock.ts';
import type { EngineParts } from './parts.ts';
import type { Seats } from './seats.ts';
import type { Bell } from './waiting.ts';

/**
 * Reads a page, and when it is empty waits for one until the time is over. The bell is taken before the read that
 * decides to wait, so that nothing can come in between unheard.
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
 * As many of the rows as a page may hold, and whether there are more: `rows` are those that the store gave when it was
 * asked for one more than `limit`.
 *
 * What the bodies come to is measured as JSON, because that is what has to be held until a reader has taken it.
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

/** An escape has six bytes, and so has nothing else. A page that stays below this need not be measured. */
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
 * Lets callers that ask the same question between two changes share one answer, the very same object: a post that
 * wakes five thousand waiters is read once, and so is a page that is asked for again and again.
 *
 * Where others write to the store too, and where an answer is large, it is shared only by those who ask together.
 */
export function createSharedReads<Answer>({
  parts: { store, waiting },
  answersMax = limits.sharedAnswersMax,
  toCharacters,
}: Readonly<{
  parts: Pick<EngineParts, 'store' | 'waiting'>;
  answersMax?: number;
  /** About how much memory the answer takes. */
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
