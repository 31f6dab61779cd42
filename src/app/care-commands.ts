import { InvalidArgumentError, Option } from 'commander';
import type { CommandDeclaration } from '../cli/command.ts';
import { parseTypedTime } from '../cli/typed-time.ts';

/** The commands about the data of the bus: copies, checks and pruning. Their code is loaded when one of them runs. */
export const careCommands: readonly CommandDeclaration[] = [
  {
    name: 'backup',
    group: 'Data',
    summary: 'Copy the database into a file, also while the bus runs',
    guidance:
      'The copy is one moment of the database, verified before it gets its name, and readable by you alone. A file that is there already is never replaced.',
    readers: ['data'],
    declare: (command) => {
      command.argument('<file>', 'Where the copy goes').addOption(jsonOption()).addOption(progressOption());
    },
    run: async (invocation) => (await import('./care-runs.ts')).runBackup(invocation),
  },
  {
    name: 'restore',
    group: 'Data',
    summary: 'Put a backup in the place of the database',
    guidance:
      'Stop the bus first. The backup is checked, and the database that was there is kept aside. Ids and fences go on above all that were handed out before, so none means two things.',
    readers: ['data'],
    declare: (command) => {
      command
        .argument('<file>', 'The backup')
        .option('--reset-clock', 'Bring times that are ahead of the clock of this machine back to it')
        .addOption(jsonOption())
        .addOption(progressOption());
    },
    run: async (invocation) => (await import('./care-runs.ts')).runRestore(invocation),
  },
  {
    name: 'verify',
    group: 'Data',
    summary: 'Check every page and every row of the database, also while the bus runs',
    guidance:
      'Changes nothing. Exit status 0: all is sound; 1: something is wrong, and the report says what.',
    readers: ['data'],
    declare: (command) => {
      command
        .argument('[file]', 'Another database, as a backup; postgres://… works too')
        .addOption(jsonOption())
        .addOption(progressOption());
    },
    run: async (invocation) => (await import('./care-runs.ts')).runVerify(invocation),
  },
  {
    name: 'export',
    group: 'Data',
    summary: 'Write messages, lanes and events as text',
    guidance:
      'jsonl is the whole, one JSON object a line, and what import takes. csv is the messages for a spreadsheet; a text that would run as a formula there gets an apostrophe in front.',
    readers: ['client'],
    declare: (command) => {
      command
        .addOption(
          new Option('--format <name>', 'How to write it').choices(['jsonl', 'csv']).default('jsonl'),
        )
        .option(
          '--output <file>',
          'Write to this file, which must not be there yet (default: standard output)',
        )
        .option('--topic <text>', 'Only the messages of this topic, without lanes and events')
        .addOption(jsonOption('With --output: print'))
        .addOption(progressOption());
    },
    run: async (invocation) => (await import('./care-runs.ts')).runExport(invocation),
  },
  {
    name: 'import',
    group: 'Data',
    summary: 'Bring an export into an empty store',
    guidance:
      'Ids, times, senders and acknowledgements stay what they are. A store in which anything was ever kept refuses it, because its ids would mean two things. Stop the bus first. An exact copy, with remembered answers, is what backup and copy are for.',
    readers: ['data'],
    declare: (command) => {
      command
        .argument('<file>', 'An export in the format jsonl')
        .addOption(jsonOption())
        .addOption(progressOption());
    },
    run: async (invocation) => (await import('./care-runs.ts')).runImport(invocation),
  },
  {
    name: 'prune',
    group: 'Data',
    summary: 'Remove the oldest messages for good, with the events of their time',
    guidance:
      'It stops before the oldest flag that nobody has acknowledged, and says so. At a terminal it says what it will remove, and asks. Ids are never given again, and lanes with their fences stay. A reader with a cursor from before is told so. The room in the file is used again, but the file does not shrink: a backup of it is small.',
    readers: ['client'],
    declare: (command) => {
      command
        .addOption(
          new Option(
            '--before <time>',
            'Posted before then, by the clock of the bus: 30d or 12h ago, or 2026-01-31 or "2026-01-31 12:00" in your time zone',
          )
            .argParser(readTime)
            .conflicts('keep'),
        )
        .addOption(new Option('--keep <number>', 'All but so many of the newest').argParser(readCount))
        .option('--include-flags', 'Remove flags too that nobody has acknowledged')
        .option('--dry-run', 'Only say what would go')
        .option('--yes', 'Do not ask, also at a terminal')
        .addOption(jsonOption())
        .addOption(progressOption());
    },
    run: async (invocation) => (await import('./prune-run.ts')).runPrune(invocation),
  },
  {
    name: 'copy',
    group: 'Data',
    summary: 'Copy a whole store into an empty one, of whichever kind',
    guidance:
      'From one machine to several, and back. Ids, fences, leases, events, acknowledgements and idempotency keys stay what they are; all is read back and compared before it counts. To move for good, stop the bus first.',
    readers: [],
    declare: (command) => {
      command
        .requiredOption('--from <store>', 'A file, or postgres://…')
        .requiredOption('--to <store>', 'A new file, or postgres://… with nothing in it')
        .addOption(jsonOption())
        .addOption(progressOption());
    },
    run: async (invocation) => (await import('./care-runs.ts')).runCopy(invocation),
  },
];

function jsonOption(text = 'Print'): Option {
  return new Option('--json', `${text} what was done as one line of JSON`);
}

function progressOption(): Option {
  return new Option('--progress', 'Say how far it is, also where no terminal is');
}

/** Keeps the text as typed: an age counts back from the bus's time, not from this machine's. */
function readTime(text: string): string {
  if (parseTypedTime(text, new Date()) !== undefined) return text;
  throw new InvalidArgumentError('It must be a day, a day with a time, or an age like 30d or 12h.');
}

function readCount(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 0.');
}
