import { isPublished } from '../../contract/publication.ts';
import { UsageError } from '../config.ts';
import type { Machine } from '../folders.ts';

/** How a client starts the MCP server. */
export type Launch = Readonly<{ command: string; args: readonly string[] }>;

/**
 * Decides how clients start the server: as it was typed; or through npx, if this program came through npx, or if the
 * file is shared with others and the package is in the registry; or else by absolute paths, which work at once and
 * without PATH.
 */
export function toLaunch(
  asked: Readonly<{
    typed?: string | undefined;
    isShared: boolean;
    machine: Pick<Machine, 'platform'>;
    nodeFile: string;
    /** The file of this program, links resolved. */
    programFile: string;
    isPublished?: boolean;
  }>,
): Launch {
  const { typed, isShared, machine, nodeFile, programFile } = asked;
  if (typed !== undefined) return toTypedLaunch(typed);
  const isInRegistry = asked.isPublished ?? isPublished;
  if (!(isShared && isInRegistry) && !passingFolder.test(programFile)) {
    return { command: toLastingNode(nodeFile), args: [programFile] };
  }
  const words = ['npx', '-y', 'bus-mcp'] as const;
  // On Windows npx is a script. A client that starts programs without a shell does not find it.
  const isWindowsOnly = machine.platform === 'win32' && !isShared;
  return isWindowsOnly
    ? { command: 'cmd', args: ['/c', ...words] }
    : { command: words[0], args: words.slice(1) };
}

/** Caches of programs that were downloaded for one run. They may be gone tomorrow. */
const passingFolder = /[\\/](_npx|dlx|dlx-[^\\/]+|bunx-[^\\/]+)[\\/]/;

/** Homebrew removes a version's folder when it upgrades, but its link stays. */
function toLastingNode(nodeFile: string): string {
  return nodeFile.replace(/\/Cellar\/(node[^/]*)\/[^/]+\/bin\/node$/, '/opt/$1/bin/node');
}

function toTypedLaunch(typed: string): Launch {
  const [command, ...args] = toWords(typed);
  if (command === undefined) throw new UsageError('--command must not be empty');
  return { command, args };
}

/** Splits at spaces; quotes keep a word with spaces together. Backslashes are literal, as in Windows paths. */
function toWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (const character of text) {
    if (character === quote) {
      quote = undefined;
    } else if (quote !== undefined) {
      word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (!/\s/.test(character)) {
      word = (word ?? '') + character;
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (quote !== undefined) throw new UsageError(`--command has a quote that is not closed: ${text}`);
  return word === undefined ? words : [...words, word];
}
