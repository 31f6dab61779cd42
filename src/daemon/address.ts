import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessIdentity } from './processes.ts';

/** Who started a bus: somebody with `serve`, who also stops it, or a client, and then it leaves by itself. */
export type Starter = 'serve' | 'client';

/** What a bus writes down about itself for the clients of its user. */
export type Address = ProcessIdentity &
  Readonly<{
    baseUrl: string;
    version: string;
    startedAt: string;
    startedBy: Starter;
    /** Known to the bus and to whoever can read the file; never sent, only proved. */
    token: string;
    isSecretArmed: boolean;
    /** What it was told, by the names of the variables; no secrets. */
    settings: Readonly<Record<string, string>>;
  }>;

/** The address in the file; nothing when there is none, or none that this version can read. */
export function readAddress(file: string): Address | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isAddress(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Readers find the old address or the whole new one, and other users find nothing. */
export function writeAddress(file: string, address: Address): void {
  // Buses of two containers can have the same number.
  const draft = `${file}.${randomUUID()}`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(draft, `${JSON.stringify(address, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Takes the address away, unless another bus has written its own meanwhile. */
export function removeAddress(file: string, { token }: Address): void {
  if (readAddress(file)?.token === token) rmSync(file, { force: true });
}

function isAddress(value: unknown): value is Address {
  if (typeof value !== 'object' || value === null) return false;
  const { baseUrl, processId, version, token, startedAt, settings } = value as Record<string, unknown>;
  return (
    [baseUrl, version, token, startedAt].every((field) => typeof field === 'string') &&
    URL.canParse(baseUrl as string) &&
    Number.isInteger(processId) &&
    (processId as number) > 0 &&
    typeof settings === 'object' &&
    settings !== null
  );
}
