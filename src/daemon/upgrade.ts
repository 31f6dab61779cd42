import type { Address } from './address.ts';

/**
 * What to do about a bus of another version: keep it; replace it with this version; replace it once nobody calls it;
 * or report it to the person who started it.
 */
export type Verdict = 'keep' | 'replace' | 'replace_when_idle' | 'report';

/**
 * Decides about a running bus. Only an older version is ever replaced, so that two versions in use at the same time
 * do not keep replacing each other. What is in the store survives, including leases.
 */
export function decideUpgrade(
  asked: Readonly<{ own: string; bus: Pick<Address, 'version' | 'startedBy'>; callsInFlight: number }>,
): Verdict {
  const { own, bus, callsInFlight } = asked;
  if (!isOlder(bus.version, own)) return 'keep';
  if (bus.startedBy !== 'client') return 'report';
  return callsInFlight === 0 ? 'replace' : 'replace_when_idle';
}

/** A version that cannot be parsed does not count as older. */
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
