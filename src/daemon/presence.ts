import { existsSync, rmSync } from 'node:fs';
import { type Address, removeAddress, writeAddress } from './address.ts';
import type { Place } from './place.ts';

/** That a bus can be found. */
export type Presence = Readonly<{
  /** From now on nobody is sent here any more. */
  end(): void;
}>;

const lookMilliseconds = 5_000;

/**
 * Writes down where the bus listens, and again should somebody delete it: nobody could find the bus otherwise. Throws
 * when it cannot be written, unless somebody is told instead: then it is written as soon as it can be.
 */
export function announce(
  { addressFile }: Pick<Place, 'addressFile'>,
  address: Address,
  onFailure?: (error: unknown) => void,
): Presence {
  try {
    writeAddress(addressFile, address);
  } catch (error) {
    if (!onFailure) throw error;
    // It is that of a process that is gone.
    rmSync(addressFile, { force: true });
    onFailure(error);
  }
  const looking = setInterval(() => {
    if (existsSync(addressFile)) return;
    try {
      writeAddress(addressFile, address);
    } catch {
      // The folder may come back.
    }
  }, lookMilliseconds).unref();
  return {
    end() {
      clearInterval(looking);
      removeAddress(addressFile, address);
    },
  };
}
