import { isObject } from '../../contract/json.ts';
import type { Client } from './clients.ts';
import type { Launch } from './launch.ts';

/** What a client's file says about one server. */
export type Entry = Readonly<Record<string, unknown>>;

/**
 * Changes a client's file, and leaves every byte alone that need not change.
 *
 * All functions throw `FileProblem` for a text that the client could not read. An empty text counts as a file
 * without content.
 */
export type Editor = Readonly<{
  /** The servers that the text names, by name. */
  readServers(text: string): Entry;
  /** The text with an entry that was not there. */
  add(text: string, name: string, entry: Entry): string;
  /** The text with one value of an entry that is there. */
  set(text: string, name: string, path: readonly string[], value: unknown): string;
  /** The text without the entry. */
  remove(text: string, name: string): string;
}>;

/** The name under which every client lists the server. */
export const serverName = 'bus';

/** The entry as it is written where none was. */
export function toEntry(
  asked: Readonly<{
    client: Client;
    launch: Launch;
    /** Variables for the server. Never the secret itself: files like these get copied and committed. */
    variables: Readonly<Record<string, string>>;
    environment: NodeJS.ProcessEnv;
  }>,
): Entry {
  const { client, launch, environment } = asked;
  const { extras = {}, keptBack = [], type, variablesKey = 'env' } = client;
  const references = keptBack.filter((name) => environment[name]).map((name) => [name, `$${name}`]);
  const variables = { ...Object.fromEntries(references), ...asked.variables };
  const handedOn = client.toHandedOn?.(environment) ?? [];
  const words = [launch.command, ...launch.args];
  return {
    ...(type !== undefined && { type }),
    ...(client.isCommandList ? { command: words } : { command: launch.command, args: [...launch.args] }),
    ...(Object.keys(variables).length > 0 && { [variablesKey]: variables }),
    ...(handedOn.length > 0 && { env_vars: [...handedOn] }),
    ...extras,
  };
}

/**
 * What to set so that an existing entry says the same: how the server is started, the requested variables, and the
 * names of variables to pass on. Everything else in it stays.
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
  for (const key of ['env', 'environment']) {
    const variables = isObject(found[key]) ? found[key] : {};
    for (const [name, value] of Object.entries(isObject(wanted[key]) ? wanted[key] : {})) {
      if (!isSame(variables[name], value)) changes.push({ path: [key, name], value });
    }
  }
  const named = Array.isArray(found.env_vars) ? found.env_vars : [];
  const missing = toNames(wanted.env_vars).filter((name) => !toNames(named).includes(name));
  if (missing.length > 0) changes.push({ path: ['env_vars'], value: [...named, ...missing] });
  return changes;
}

/** An item of such a list is a name, or an object with a name. */
function toNames(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list.map((item) => (isObject(item) ? item.name : item)) : [];
}

/** What a person would type to start the server of the entry. */
export function toCommandLine(entry: Entry): string {
  const words = [entry.command, entry.args ?? []].flat();
  return words.map((word) => (/^[^\s"']+$/.test(String(word)) ? word : JSON.stringify(word))).join(' ');
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The object with one value set below it; what is missing on the way is made. */
export function withValue(object: unknown, [key = '', ...below]: readonly string[], value: unknown): Entry {
  const parent = isObject(object) ? object : {};
  return { ...parent, [key]: below.length === 0 ? value : withValue(parent[key], below, value) };
}
