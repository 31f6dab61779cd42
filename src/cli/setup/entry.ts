import type { Client } from './clients.ts';
import type { Launch } from './launch.ts';

/** What a client's file says about one server. */
export type Entry = Readonly<Record<string, unknown>>;

/** The name under which every client lists the server. */
export const serverName = 'bus';

/** The entry as it is written where none was. */
export function toEntry(
  asked: Readonly<{
    client: Client;
    launch: Launch;
    /** Variables for the server. Never the value of the secret: files like these are copied and committed. */
    variables: Readonly<Record<string, string>>;
    isSecretSet: boolean;
  }>,
): Entry {
  const { client, launch, isSecretSet } = asked;
  const { extras = {}, toSecretReference, type } = client;
  const isReferred = isSecretSet && toSecretReference !== undefined;
  const env = { ...asked.variables, ...(isReferred && { BUS_WRITE_SECRET: toSecretReference }) };
  return {
    ...(type !== undefined && { type }),
    command: launch.command,
    args: [...launch.args],
    ...(Object.keys(env).length > 0 && { env }),
    ...extras,
  };
}

/**
 * What has to be set so that an entry found there says the same: how the server is started, and the variables asked
 * for. Whatever else somebody put into it stays.
 */
export function toChanges(
  found: Entry,
  wanted: Entry,
): readonly Readonly<{ path: string[]; value: unknown }>[] {
  const changes: { path: string[]; value: unknown }[] = [];
  for (const key of ['type', 'command', 'args']) {
    if (wanted[key] !== undefined && !isSame(found[key], wanted[key])) {
      changes.push({ path: [key], value: wanted[key] });
    }
  }
  const variables = isObject(found.env) ? found.env : {};
  for (const [name, value] of Object.entries(isObject(wanted.env) ? wanted.env : {})) {
    if (!isSame(variables[name], value)) changes.push({ path: ['env', name], value });
  }
  return changes;
}

/** What a person would type to start the server of the entry. */
export function toCommandLine(entry: Entry): string {
  const words = [entry.command, ...(Array.isArray(entry.args) ? entry.args : [])];
  return words.map((word) => (/^[^\s"']+$/.test(String(word)) ? word : JSON.stringify(word))).join(' ');
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
