import type { Bus } from '../../src/contract/contract.ts';

/** What a bus holds at most in writes that wait is more than this. */
const atOnce = 250;

/** So many messages, as fast as a bus takes them. */
export async function flood(
  bus: Bus,
  count: number,
  toMessage: (index: number) => Readonly<{ topic: string; sender: string; body: string }>,
): Promise<void> {
  for (let first = 0; first < count; first += atOnce) {
    const length = Math.min(atOnce, count - first);
    await Promise.all(Array.from({ length }, (_, index) => bus.postMessage(toMessage(first + index))));
  }
}
