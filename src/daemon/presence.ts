import { existsSync } from 'node:fs';
import { type Address, removeAddress, writeAddress } from './address.ts';
import type { Place } from './place.ts';

/** That a bus can be found. */
export type Presence = Readonly<{
  /** From now on nobody is sent here any more. */
  end(): void;
}>;

const lookMilliseconds = 5_000;

/** Writes down where the bus listens, and again should somebody delete it: nobody could find the bus otherwise. */
export function announce({ addressFile }: Pick<Place, 'addressFile'>, address: Address): Presence {
  writeAddress(addressFile, address);
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
