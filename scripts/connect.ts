import { clientNames, clients } from '../src/cli/setup/clients.ts';
import { commandText, isPublished } from '../src/contract/publication.ts';

/** The parts of documents that say how the program is started, by file; each stands there between two markers. */
export const generatedParts = {
  'README.md': toConnectPart,
  'hooks/README.md': toFolderPart,
} as const;

/** The text of the document with the part as it has to be. Throws when the markers are gone. */
export function withPart(text: string, part: string): string {
  const [start = '', end = ''] = markers;
  const pattern = new RegExp(`${start}[\\s\\S]*?${end}`);
  if (!pattern.test(text)) throw new Error(`the document has lost ${start} or ${end}`);
  return text.replace(pattern, () => `${start}\n\n${part}\n\n${end}`);
}

const markers = ['<!-- generated: how it is started -->', '<!-- end of what is generated -->'];

function toConnectPart(): string {
  const start = isPublished ? commandText : 'node dist/bin.js';
  return [
    ...(isPublished
      ? ['Run one line; no checkout is needed:']
      : ['In the checkout, once `npm start` has built it (the package is not in the registry yet):']),
    ['```sh', ...clientNames.map((name) => toLine(start, name)), '```'].join('\n'),
    toExplanation(),
    `- **Claude Code plugin**, with hooks and a skill: ${toPluginText()}.`,
  ].join('\n\n');
}

function toLine(start: string, name: (typeof clientNames)[number]): string {
  const { title, projectFile } = clients[name];
  const file = clients[name].toUserFile(machine).replace('/~/', '~/');
  const project = projectFile === undefined ? '' : `, or ${projectFile.join('/')} with --project`;
  return `${`${start} setup ${name}`.padEnd(start.length + 22)} # ${title}: ${file}${project}`;
}

/** A home folder that is shown as people write it. */
const machine = {
  platform: 'linux',
  hostName: 'host',
  processName: '1',
  environment: { HOME: '/~' },
} as const;

function toExplanation(): string {
  const entry = isPublished
    ? 'The entry starts `npx -y bus-mcp`, or the installed program by its path.'
    : 'The entry starts this checkout by its absolute path, so it works at once. For a command on the PATH run `npm install -g .` here; then it is `bus-mcp setup …`, and the entry starts the installed program.';
  return `Each writes the server \`bus\` into the client's own file, keeps all else in it, and says what to do next. ${entry} \`--print\` prints the block for pasting; \`--remove\` takes it out again.`;
}

function toPluginText(): string {
  return isPublished
    ? '`/plugin marketplace add bus-mcp/bus-mcp` and `/plugin install bus-mcp@bus-mcp`'
    : '`claude --plugin-dir "$PWD"` in the built checkout. To keep it: `claude plugin marketplace add "$PWD" && claude plugin install bus-mcp@bus-mcp`, which copies the folder and starts the server from the checkout';
}

function toFolderPart(): string {
  const place = isPublished
    ? '`npm root -g` prints the folder around it after `npm install -g bus-mcp`'
    : 'the checkout, or the folder in the one that `npm root -g` prints after `npm install -g .` in the checkout';
  return `\`/path/to/bus-mcp\` below is where the package lies: ${place}.`;
}
