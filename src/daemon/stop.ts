import type { Address } from './address.ts';
import { isAlive, pause } from './processes.ts';

/** A bus finishes what runs, which takes it some seconds at most. */
const gonePeriodMilliseconds = 10_000;

/**
 * Asks a bus that has just proved who it is to stop, and waits until its process is gone. Rejects with a sentence for
 * people when it may not be asked, or does not go.
 */
export async function stopBus({ processId }: Address): Promise<void> {
  try {
    process.kill(processId, 'SIGTERM');
  } catch (error) {
    if (!isAlive(processId)) return;
    const reason = (error as NodeJS.ErrnoException).code;
    throw new Error(`process ${processId} cannot be stopped from here (${reason}): stop it as its own user`);
  }
  const giveUpAt = performance.now() + gonePeriodMilliseconds;
  while (isAlive(processId)) {
    if (performance.now() > giveUpAt) {
      throw new Error(
        `process ${processId} was asked to stop and is still there after ${gonePeriodMilliseconds / 1000} seconds: ` +
          `look into its log, or end it with: kill -9 ${processId}`,
      );
    }
    await pause(20);
  }
}
