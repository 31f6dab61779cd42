import { setTimeout as pause } from 'node:timers/promises';
import type { Address } from './address.ts';
import { checkProcess } from './processes.ts';

/** A bus finishes its running calls before it exits, which takes a few seconds at most. */
const gonePeriodMilliseconds = 10_000;

/**
 * Asks a bus process to stop, and waits until it is gone. The caller has just checked that the bus is the right one;
 * this function checks that the process is the one that wrote the address. Rejects with a readable sentence when it
 * is a different process, when signalling it is not allowed, or when it does not exit.
 */
export async function stopBus(address: Address): Promise<void> {
  const { processId, baseUrl } = address;
  const state = checkProcess(address);
  if (state !== 'alive') {
    throw new Error(
      `the bus at ${baseUrl} runs in another container or namespace, where it is process ${processId}, or is of a version that does not say which process it is: stop it where it was started`,
    );
  }
  try {
    process.kill(processId, 'SIGTERM');
  } catch (error) {
    if (checkProcess(address) !== 'alive') return;
    const reason = (error as NodeJS.ErrnoException).code;
    throw new Error(`process ${processId} cannot be stopped from here (${reason}): stop it as its own user`);
  }
  const giveUpAt = performance.now() + gonePeriodMilliseconds;
  while (checkProcess(address) === 'alive') {
    if (performance.now() > giveUpAt) {
      throw new Error(
        `process ${processId} was asked to stop and is still there after ${gonePeriodMilliseconds / 1000} seconds: ` +
          `look into its log, or end it with: kill -9 ${processId}`,
      );
    }
    await pause(20);
  }
}
