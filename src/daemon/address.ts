import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessIdentity } from './processes.ts';

/**
 * Who started a bus. `serve`: a person, who also stops it. `client`: a client, and then the bus exits by itself when
 * it is idle.
 */
export type Starter = 'serve' | 'client';

/** What a bus writes to a file so that this user's clients can find it. */
export type Address = ProcessIdentity &
  Readonly<{
    baseUrl: string;
    version: string;
    startedAt: string;
    startedBy: Starter;
    /** Known to the bus and to whoever can read the file. It is never sent; each side proves that it knows it. */
    token: string;
    isSecretArmed: boolean;
    /** The settings the bus was started with, by variable name. No secrets. */
    settings: Readonly<Record<string, string>>;
  }>;

/** The address in the file; undefined when there is none that this version can read. */
export function readAddress(file: string): Address | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isAddress(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Readers see either the old address or the complete new one. Other users cannot read it. */
export function writeAddress(file: string, address: Address): void {
  // Buses in two containers can have the same process id.
  const draft = `${file}.${randomUUID()}`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(draft, `${JSON.stringify(address, null, 2)}\n`, { mode: 0o600 });
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Removes the address, unless another bus has written its own in the meantime. */
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
