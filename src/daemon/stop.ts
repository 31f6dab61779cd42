import { setTimeout as pause } from 'node:timers/promises';
import type { Address } from './address.ts';
import { lookAtProcess } from './processes.ts';

/** A bus finishes what runs, which takes it some seconds at most. */
const gonePeriodMilliseconds = 10_000;

/**
 * Asks the process of a bus to stop, and waits until it is gone. The caller has just heard the bus prove who it is; here
 * its process proves to be the one that wrote the address. Rejects with a sentence for people when it is another one, may not be
 * asked, or does not go.
 */
export async function stopBus(address: Address): Promise<void> {
  const { processId, baseUrl } = address;
  const state = lookAtProcess(address);
  if (state !== 'alive') {
    throw new Error(
      `the bus at ${baseUrl} runs in another container or namespace, where it is process ${processId}, or is of a version that does not say which process it is: stop it where it was started`,
    );
  }
  try {
    process.kill(processId, 'SIGTERM');
  } catch (error) {
    if (lookAtProcess(address) !== 'alive') return;
    const reason = (error as NodeJS.ErrnoException).code;
    throw new Error(`process ${processId} cannot be stopped from here (${reason}): stop it as its own user`);
  }
  const giveUpAt = performance.now() + gonePeriodMilliseconds;
  while (lookAtProcess(address) === 'alive') {
    if (performance.now() > giveUpAt) {
      throw new Error(
        `process ${processId} was asked to stop and is still there after ${gonePeriodMilliseconds / 1000} seconds: ` +
          `look into its log, or end it with: kill -9 ${processId}`,
      );
    }
    await pause(20);
  }
}
