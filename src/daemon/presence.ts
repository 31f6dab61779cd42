import { existsSync, rmSync } from 'node:fs';
import { type Address, removeAddress, writeAddress } from './address.ts';
import type { Place } from './place.ts';

/** Keeps the address file of a running bus in place. */
export type Presence = Readonly<{
  /** Removes the address, so that no new client comes here. */
  end(): void;
}>;

const lookMilliseconds = 5_000;

/**
 * Writes the address file, and writes it again when somebody deletes it, because otherwise nobody could find the
 * bus. Throws when writing fails. With a callback it reports the failure instead and keeps trying.
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
    // It belongs to a process that is gone.
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
