import type { Address } from './address.ts';

/**
 * What to do about a bus of another version: nothing; put this version in its place; put it there when nobody calls
 * any more; or leave that to the person who started it.
 */
export type Verdict = 'keep' | 'replace' | 'replace_when_idle' | 'tell';

/**
 * Judges a running bus. Only an older one is ever replaced, so that two versions in use at once do not replace each
 * other's; what is in the store, leases too, outlives it.
 */
export function decideUpgrade(
  asked: Readonly<{ own: string; bus: Pick<Address, 'version' | 'startedBy'>; callsInFlight: number }>,
): Verdict {
  const { own, bus, callsInFlight } = asked;
  if (!isOlder(bus.version, own)) return 'keep';
  if (bus.startedBy !== 'client') return 'tell';
  return callsInFlight === 0 ? 'replace' : 'replace_when_idle';
}

/** Versions that cannot be read are not older. */
export function isOlder(version: string, than: string): boolean {
  const [left, right] = [readVersion(version), readVersion(than)];
  if (!left || !right) return false;
  for (const [index, number] of left.numbers.entries()) {
    const other = right.numbers[index] ?? 0;
    if (number !== other) return number < other;
  }
  return left.isPreview && !right.isPreview;
}

function readVersion(text: string) {
  const match = /^(\d+)\.(\d+)\.(\d+)(-)?/.exec(text);
  return match && { numbers: match.slice(1, 4).map(Number), isPreview: match[4] !== undefined };
}
