import { isObject } from '../../contract/json.ts';
import type { Client } from './clients.ts';
import {
  type ConfigFile,
  deleteConfigFile,
  readBackups,
  readConfigFile,
  writeConfigFile,
} from './config-file.ts';
import { openEditor } from './editor.ts';
import { type Editor, type Entry, serverName, toChanges, toCommandLine } from './entry.ts';
import { FileProblem } from './problem.ts';

/** What was done to a file, or that nothing had to be done. */
export type Outcome = Readonly<{
  action: 'added' | 'changed' | 'kept' | 'removed' | 'deleted' | 'absent';
  file: ConfigFile;
  /** The entry as it is now, or as it was before it was removed. */
  entry?: Entry;
  /** How the server was started before. */
  commandLineBefore?: string;
  backupPath?: string | undefined;
}>;

export type Target = Readonly<{ client: Client; path: string; newFileMode: number }>;

/**
 * Makes the file start the server as wanted. Everything else that somebody wrote stays, also inside the entry.
 *
 * Throws `FileProblem` before touching anything when the file cannot be changed safely.
 */
export async function addServer(target: Target, wanted: Entry): Promise<Outcome> {
  const { file, editor } = await openFile(target);
  const text = file.text ?? '';
  const found = editor.readServers(text)[serverName];
  if (found === undefined) {
    const backupPath = await writeConfigFile(file, editor.add(text, serverName, wanted));
    return { action: 'added', file, entry: wanted, backupPath };
  }
  if (!isObject(found) || !/string|object/.test(typeof found.command)) {
    throw new FileProblem(
      `has a server '${serverName}' that is not started by a command: take it out with --remove first`,
    );
  }
  const changes = toChanges(found, wanted);
  if (changes.length === 0) return { action: 'kept', file, entry: found };
  const after = changes.reduce(
    (current, { path, value }) => editor.set(current, serverName, path, value),
    text,
  );
  const entry = editor.readServers(after)[serverName] as Entry;
  const backupPath = await writeConfigFile(file, after);
  return { action: 'changed', file, entry, commandLineBefore: toCommandLine(found), backupPath };
}

/**
 * Removes the entry. If nothing else changed since it was added, the file is exactly what it was before; a file that
 * was created for the entry is deleted.
 */
export async function removeServer(target: Target): Promise<Outcome> {
  const { file, editor } = await openFile(target);
  const { text } = file;
  const found = text === undefined ? undefined : editor.readServers(text)[serverName];
  if (text === undefined || found === undefined) return { action: 'absent', file };
  const entry = isObject(found) ? found : {};
  const before = (await readBackups(file)).find((copy) => isResult(editor, copy, entry, text));
  if (before === undefined && isResult(editor, '', entry, text)) {
    await deleteConfigFile(file);
    return { action: 'deleted', file, entry };
  }
  const after = before ?? editor.remove(text, serverName);
  return { action: 'removed', file, entry, backupPath: await writeConfigFile(file, after) };
}

async function openFile({ client, path, newFileMode }: Target) {
  const file = await readConfigFile(path, newFileMode);
  return { file, editor: await openEditor(client) };
}

/** Whether adding the entry to one text gives the other. */
function isResult(editor: Editor, before: string, entry: Entry, after: string): boolean {
  try {
    if (editor.readServers(before)[serverName] !== undefined) return false;
    return editor.add(before, serverName, entry) === after;
  } catch {
    return false;
  }
}
