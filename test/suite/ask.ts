import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Bus } from '../../src/contract/contract.ts';
import { BusError } from '../../src/contract/errors.ts';
import type { Clock } from '../../src/store/clock.ts';

/** The refusal that the call ends in; an answer, or an error of another kind, fails the test. */
export async function refusalOf(asked: Promise<unknown>): Promise<BusError> {
  const outcome = await asked.then(
    (answer) => ({ answer }),
    (error: unknown) => ({ error }),
  );
  if ('answer' in outcome) expect.fail(`the bus answered: ${JSON.stringify(outcome.answer)}`);
  if (!(outcome.error instanceof BusError)) throw outcome.error;
  return outcome.error;
}

/** The time so many seconds from now, as the wire says it. */
export function timestampIn(clock: Clock, seconds = 0): string {
  return new Date(clock.now() + Math.round(seconds * 1000)).toISOString();
}

/** Posts one after the other, so that the number in the body is the place in the log. */
export async function postMany(bus: Pick<Bus, 'postMessage'>, count: number, topic = 'log'): Promise<void> {
  for (let place = 1; place <= count; place += 1) {
    await bus.postMessage({ topic, sender: 'ada', body: String(place) });
  }
}

/** Resolves once the condition holds; what never comes fails with a sentence. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  secondsMax = 10,
): Promise<void> {
  await waitUntil(holds, secondsMax, what);
}

/** The first value that is not empty, of those that another process or socket brings about. */
export async function waitUntil<Value>(
  read: () => Value | Promise<Value>,
  secondsMax = 10,
  what = String(read),
): Promise<NonNullable<Value>> {
  const end = performance.now() + secondsMax * 1000;
  for (;;) {
    const value = await read();
    if (value) return value;
    if (performance.now() > end) throw new Error(`waited ${secondsMax} s in vain until ${what}`);
    await pause(1);
  }
}

/** Whether it is still open after everything that is under way in this process had its turn. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let isOpen = true;
  const close = () => {
    isOpen = false;
  };
  promise.then(close, close);
  await pause(20);
  return isOpen;
}

/** The outcome, or a failure with a sentence when it does not come. */
export async function soon<Outcome>(
  what: string,
  outcome: Promise<Outcome>,
  secondsMax = 2,
): Promise<Outcome> {
  const stop = new AbortController();
  const late = pause(secondsMax * 1000, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`waited ${secondsMax} s in vain for ${what}`);
  });
  try {
    return await Promise.race([outcome, late]);
  } finally {
    stop.abort();
    late.catch(() => {});
  }
}
