import type { Client } from './clients.ts';
import type { Entry } from './entry.ts';

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

/** The editor for the file of a client. The parsers are loaded only here: no other command needs them. */
export async function openEditor({ format, serversKey }: Client): Promise<Editor> {
  if (format.kind === 'toml') {
    const { createTomlEditor } = await import('./toml-editor.ts');
    return createTomlEditor(serversKey);
  }
  const { createJsonEditor } = await import('./json-editor.ts');
  return createJsonEditor(serversKey, format.dialect);
}
