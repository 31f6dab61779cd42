import { randomUUID } from 'node:crypto';
import { type Address, readAddress } from './address.ts';
import { ask } from './ask.ts';
import { identityPath, isProof } from './identity.ts';
import type { Place } from './place.ts';
import { lookAtProcess } from './processes.ts';

/** What became of looking for the local bus. A silent one lives and does not answer. */
export type Finding =
  | Readonly<{ state: 'running'; address: Address; callsInFlight: number }>
  | Readonly<{ state: 'silent'; address: Address }>
  | Readonly<{ state: 'none' }>;

const timeoutMilliseconds = 2_000;

/** Looks for the bus of this place. A file that was left behind is none, and neither is a stranger at its address. */
export async function findBus({ addressFile }: Pick<Place, 'addressFile'>): Promise<Finding> {
  const address = readAddress(addressFile);
  if (!address) return { state: 'none' };
  const challenge = randomUUID();
  const url = new URL(`${identityPath}?challenge=${challenge}`, address.baseUrl);
  const answer = await ask(url, timeoutMilliseconds);
  if (answer.heard === 'nothing' && lookAtProcess(address) !== 'gone') return { state: 'silent', address };
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

/** What to say about a silent bus. Only a process that surely is the bus may be named as one to end. */
export function explainSilence(address: Address): Readonly<{ finding: string; remedy: string }> {
  const { processId, baseUrl } = address;
  if (lookAtProcess(address) === 'alive') {
    return {
      finding: `process ${processId} is the bus, and does not answer`,
      remedy: `end it if that stays so: kill -9 ${processId}`,
    };
  }
  return {
    finding: `a bus that runs in another container or namespace was at ${baseUrl}, and does not answer`,
    remedy: 'look at it where it was started; its process number means nothing here',
  };
}
