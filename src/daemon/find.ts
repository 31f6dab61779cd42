import { randomUUID } from 'node:crypto';
import { type Address, readAddress } from './address.ts';
import { ask } from './ask.ts';
import { identityPath, isProof } from './identity.ts';
import type { Place } from './place.ts';
import { checkProcess } from './processes.ts';

/** The result of looking for the local bus. `silent`: its process lives but does not respond. */
export type Finding =
  | Readonly<{ state: 'running'; address: Address; callsInFlight: number }>
  | Readonly<{ state: 'silent'; address: Address }>
  | Readonly<{ state: 'none' }>;

const timeoutMilliseconds = 2_000;

/**
 * Looks for the bus of this place. An address file left by a dead bus does not count, nor does a stranger at its
 * address.
 */
export async function findBus({ addressFile }: Pick<Place, 'addressFile'>): Promise<Finding> {
  const address = readAddress(addressFile);
  if (!address) return { state: 'none' };
  const challenge = randomUUID();
  const url = new URL(`${identityPath}?challenge=${challenge}`, address.baseUrl);
  const answer = await ask(url, timeoutMilliseconds);
  if (answer.heard === 'nothing' && checkProcess(address) !== 'gone') return { state: 'silent', address };
  if (answer.heard !== 'answer' || !isProof(answer.value?.proof, address.token, challenge)) {
    return { state: 'none' };
  }
  const { callsInFlight } = answer.value ?? {};
  return {
    state: 'running',
    address,
    callsInFlight: typeof callsInFlight === 'number' ? callsInFlight : 0,
  };
}

/** What to say about a silent bus. Suggest ending a process only if it certainly is the bus. */
export function explainSilence(address: Address): Readonly<{ finding: string; remedy: string }> {
  const { processId, baseUrl } = address;
  if (checkProcess(address) === 'alive') {
    return {
      finding: `process ${processId} is the bus, but it does not respond`,
      remedy: `end it if that stays so: kill -9 ${processId}`,
    };
  }
  return {
    finding: `a bus that runs in another container or namespace was at ${baseUrl}, but it does not respond`,
    remedy: 'check it where it was started; its process number means nothing here',
  };
}
