import type { Machine } from '../folders.ts';
import type { Terminal } from '../terminal.ts';
import { toVisible } from '../visible.ts';
import { addServer, type Outcome, removeServer, type Target } from './change.ts';
import { type Client, toPath } from './clients.ts';
import { openEditor } from './editor.ts';
import { type Entry, serverName, toCommandLine } from './entry.ts';
import { refuseOutside } from './inside.ts';
import { FileProblem } from './problem.ts';
import { toUnseenLines } from './unseen.ts';

export type Setup = Readonly<{
  client: Client;
  machine: Machine;
  /** Given when the file of a project is meant. */
  projectFolder: string | undefined;
  entry: Entry;
  act: 'add' | 'remove' | 'print';
  terminal: Terminal;
}>;

/** Writes, removes or prints the entry of a client, and says what was done and what comes next. */
export async function setUp(setup: Setup): Promise<void> {
  const { act, client, entry, terminal } = setup;
  const target = toTarget(setup);
  const editor = await openEditor(client);
  const block = editor.add('', serverName, entry).trimEnd();
  const print = (line: string) => terminal.print(toVisible(line));
  if (act === 'print') {
    terminal.tell(`for ${target.path}`);
    await terminal.print(block);
    for (const line of toUnseenLines(setup, entry)) terminal.tell(line.trim());
    return;
  }
  try {
    if (setup.projectFolder !== undefined) refuseOutside(target.path, setup.projectFolder);
    const outcome = act === 'add' ? await addServer(target, entry) : await removeServer(target);
    for (const line of toLines(outcome, setup)) await print(line);
  } catch (error) {
    if (!(error instanceof FileProblem)) throw error;
    const byHand = act === 'add' ? `. To do it by hand, add this:\n\n${block}` : '';
    throw new Error(`${target.path} ${error.message}. Nothing was changed${byHand}`);
  }
}

function toTarget({ client, machine, projectFolder }: Setup): Target {
  if (projectFolder === undefined || client.projectFile === undefined) {
    // The user's own files may come to hold the keys of other servers.
    return { client, path: client.toUserFile(machine), newFileMode: 0o600 };
  }
  return { client, path: toPath(machine, [projectFolder, ...client.projectFile]), newFileMode: 0o644 };
}

function toLines(outcome: Outcome, setup: Setup): readonly string[] {
  const { backupPath, commandLineBefore, action, entry = {}, file } = outcome;
  const { client } = setup;
  const place = file.realPath === file.path ? file.path : `${file.path} (a link to ${file.realPath})`;
  const isWritten = action === 'added' || action === 'changed';
  return [
    `${client.title}: ${toActionText(outcome, place)}`,
    ...(isWritten ? [`  starts  ${toCommandLine(entry)}`] : []),
    ...(commandLineBefore === undefined ? [] : [`  before  ${commandLineBefore}`]),
    ...(backupPath === undefined ? [] : [`  backup  ${backupPath}`]),
    ...(isWritten || action === 'kept' ? toUnseenLines(setup, entry) : []),
    ...(isWritten ? toAdvice(setup, entry) : []),
    ...(action === 'removed' || action === 'deleted' ? [`  next    restart ${client.title}`] : []),
  ];
}

function toActionText({ action }: Outcome, place: string): string {
  switch (action) {
    case 'added':
      return `wrote the server '${serverName}' into ${place}`;
    case 'changed':
      return `changed the server '${serverName}' in ${place}`;
    case 'kept':
      return `nothing to do, the server '${serverName}' is in ${place} already`;
    case 'removed':
      return `took the server '${serverName}' out of ${place}`;
    case 'deleted':
      return `removed ${place}, because nothing was in it but the server '${serverName}'`;
    case 'absent':
      return `nothing to do, there is no server '${serverName}' in ${place}`;
  }
}

function toAdvice(setup: Setup, entry: Entry): readonly string[] {
  const { client, machine } = setup;
  const isNpx = entry.command === 'npx' && client.whyUnseen !== undefined;
  const isOwnPath = setup.projectFolder !== undefined && !/npx/.test(toCommandLine(entry));
  // The secret is not written, so somebody has to know how the server gets it.
  const isSecretSet = Boolean(machine.environment.BUS_WRITE_SECRET);
  return [
    ...(isSecretSet ? [`  secret  BUS_WRITE_SECRET is not written: ${client.secretAdvice}`] : []),
    ...(isNpx
      ? ['  note    if it does not find npx: npm install -g bus-mcp, and run this again from there']
      : []),
    ...(isOwnPath
      ? [
          '  note    the path is one of this machine: whoever shares the file runs this in a checkout of his own',
        ]
      : []),
    ...client.next.map((sentence) => `  next    ${sentence}`),
  ];
}
