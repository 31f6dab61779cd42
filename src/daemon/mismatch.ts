import type { Address } from './address.ts';

/** The settings a client was given that only affect a bus started for it. */
export type Wanted = Readonly<{
  isSecretArmed: boolean;
  /** By variable name, and only the ones that somebody set. */
  settings: Readonly<Record<string, string>>;
}>;

/** How the running bus differs from what this client was told, one sentence each. */
export function toMismatches(wanted: Wanted, address: Address): readonly string[] {
  const who = `the local bus that runs already (process ${address.processId})`;
  const different = Object.entries(wanted.settings).filter(
    ([name, value]) => (address.settings[name] ?? value) !== value,
  );
  const sentences = different.map(
    ([name, value]) => `${name} is ${value} here, but ${who} was started with ${address.settings[name]}`,
  );
  if (wanted.isSecretArmed && !address.isSecretArmed) {
    sentences.push(`BUS_WRITE_SECRET is set here, but ${who} was started without one and takes every write`);
  }
  return sentences.map((sentence) => `${sentence}: to change that, run bus-mcp down, then call again`);
}

/** What to do when the local bus says that the write secret is missing or wrong. */
export function toSecretAdvice({ processId, startedBy }: Address, hasSecret: boolean): string {
  const other = hasSecret ? 'another BUS_WRITE_SECRET' : 'a BUS_WRITE_SECRET, and none is set here';
  const by = startedBy === 'serve' ? 'with serve and ' : 'with ';
  return (
    `the local bus (process ${processId}) was started ${by}${other}: ` +
    'give all clients the same, or stop that bus with bus-mcp down and call again'
  );
}

/**
 * What to do when the bus at the default address demands a secret. That bus never proved that it belongs to this
 * user.
 */
export const keptSecretAdvice =
  'the secret that is set here goes only to a bus that proves to be yours, or to the one that BUS_MCP_BASE_URL names: set that to the address of this bus';
