import type { Client } from './clients.ts';
import type { Editor } from './entry.ts';

/** The editor for the file of a client. The parsers are loaded only here: no other command needs them. */
export async function openEditor({ format, serversKey }: Client): Promise<Editor> {
  if (format.kind === 'toml') {
    const { createTomlEditor } = await import('./toml-editor.ts');
    return createTomlEditor(serversKey);
  }
  const { createJsonEditor } = await import('./json-editor.ts');
  return createJsonEditor(serversKey, format.dialect);
}
