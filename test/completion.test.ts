import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandFile } from './build.ts';
import { useFolder } from './folder.ts';

const folder = useFolder();
const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

beforeAll(() => {
  for (const shell of shells) writeFileSync(join(folder, shell), runCommand('completion', shell));
  writeFileSync(join(folder, 'notes.db'), '');
  mkdirSync(join(folder, 'dir', 'sub'), { recursive: true });
  writeFileSync(join(folder, 'a b.db'), '');
  writeFileSync(join(folder, 'dir', 'sub', "o'neill's copy.db"), '');
  // A folder that is called like a command.
  mkdirSync(join(folder, 'serve'));
  writeFileSync(
    join(folder, 'rc'),
    `source ./bash; PS1='$ '; bus-mcp() { IFS='|'; echo "<<$*>>"; }; echo ready`,
  );
});

/** What a shell makes of a line at whose end the user asks to complete it. */
const askShell: Readonly<Record<Shell, (line: string) => string[]>> = {
  bash: askBash,
  zsh: askZsh,
  fish: askFish,
};

describe.each(shells)('%s', (shell) => {
  const complete = askShell[shell];
  const isThere = spawnSync(shell, ['--version']).status === 0;
  const rule = (name: string, run: () => void) =>
    test(name, { timeout: 60_000 }, (context) => {
      if (!isThere) context.skip(`${shell} is not installed here`);
      run();
    });

  rule('completes the name of a command', () => {
    expect(complete('bus-mcp clai')).toEqual(['claim']);
  });

  rule('completes a flag of the command that was typed, also after its operands and settings', () => {
    expect(complete('bus-mcp claim docs --own')).toEqual(['--owner']);
    expect(complete('bus-mcp claim-lane --agent-id ada docs --own')).toEqual(['--owner']);
  });

  rule('completes a setting where the command goes by it', () => {
    expect(complete('bus-mcp serve --max-lea')).toEqual(['--max-lease']);
  });

  rule('completes the word that a command chooses by', () => {
    expect(complete('bus-mcp setup gem')).toEqual(['gemini']);
    expect(complete('bus-mcp completion fi')).toEqual(['fish']);
  });

  rule('completes the value that a flag chooses by, also the next of several', () => {
    expect(complete('bus-mcp export --format js')).toEqual(['jsonl']);
    expect(complete('bus-mcp mcp --tools claim')).toEqual(['claim_lane']);
    expect(complete('bus-mcp mcp --tools claim_lane,get')).toEqual(['claim_lane,get_bus_status']);
  });

  rule('completes a file where a setting or an operand is one', () => {
    expect(complete(`bus-mcp serve --store ${folder}/no`)).toEqual([`${folder}/notes.db`]);
    expect(complete(`bus-mcp restore ${folder}/no`)).toEqual([`${folder}/notes.db`]);
  });
});

describe('bash at a terminal', () => {
  const isThere = spawnSync('script', ['-qec', 'bash --version', '/dev/null']).status === 0;

  test.for([
    ['goes on after a folder', 'restore dir/su', '\tx', 'restore|dir/sub/x'],
    ['goes down into a folder', 'restore di', '\t\t\t', "restore|dir/sub/o'neill's copy.db"],
    ['writes out a file with a blank in its name', 'serve --store a', '\t', 'serve|--store|a b.db'],
    ['goes on within quotes', "serve --store 'a ", '\t', 'serve|--store|a b.db'],
    ['goes on after a blank that was written out', 'restore a\\ ', '\t', 'restore|a b.db'],
    ['takes no command for a folder of its name', 'serv', '\tx', 'serve|x'],
    ['completes a file for another program', 'hold docs -- cat a', '\t', 'hold|docs|--|cat|a b.db'],
  ] as const)('%s', { timeout: 60_000 }, async ([, typed, keys, called], { skip }) => {
    if (!isThere) skip('there is no terminal to be had here');
    expect(await askTerminal(`bus-mcp ${typed}`, keys)).toBe(called);
  });
});

test('every command and every flag that the help names is offered', { timeout: 60_000 }, () => {
  const commands = [...runCommand('--help').matchAll(/^ {2}([a-z][a-z-]+)\b.*$/gm)].map(
    ([, name]) => name as string,
  );
  expect(commands).toContain('claim');
  const offered = askBash('bus-mcp ').filter((word) => !word.startsWith('--'));
  expect(offered.sort()).toEqual(commands.filter((name) => name !== 'help').sort());
  for (const command of offered) {
    const help = runCommand(command, '--help', '--all');
    const lines = help.split('\n').filter((line) => /^ {2}-/.test(line));
    const flags = lines.flatMap((line) => [...(line.split(/ {2,}/)[1] ?? '').matchAll(/--[a-z-]+/g)].flat());
    expect(askBash(`bus-mcp ${command} --`).sort(), command).toEqual([...new Set(flags)].sort());
  }
});

function runCommand(...argv: string[]): string {
  return execFileSync(process.execPath, [commandFile, ...argv], { encoding: 'utf8' });
}

function askBash(line: string): string[] {
  const script = `
    source "$1"
    COMP_WORDS=($2)
    [[ $2 == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _bus_mcp
    printf '%s\\n' "\${COMPREPLY[@]}"
  `;
  return toLines(run('bash', ['--norc', '-c', script, 'bash', join(folder, 'bash'), line]));
}

/** What the command is called with when these keys follow what was typed, at a terminal of its own. */
async function askTerminal(typed: string, keys: string): Promise<string | undefined> {
  const shell = spawn('script', ['-qec', 'bash --noprofile --rcfile ./rc -i', '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, TERM: 'dumb' },
  });
  let shown = '';
  shell.stdout.on('data', (chunk) => {
    shown += chunk;
  });
  const until = async (what: RegExp) => {
    const end = performance.now() + 20_000;
    while (!what.test(shown)) {
      if (performance.now() > end) throw new Error(`the terminal shows: ${shown}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  try {
    await until(/ready[^$]*\$ /);
    shell.stdin.write(`${typed}${keys}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    shell.stdin.write('\n');
    await until(/<<.*>>/);
    return shown.match(/<<(.*)>>/)?.[1];
  } finally {
    shell.kill();
  }
}

function askFish(line: string): string[] {
  const script = 'source $argv[1]; complete -C $argv[2]';
  const answer = run('fish', ['--no-config', '-c', script, join(folder, 'fish'), line]);
  return toLines(answer).map((one) => one.split('\t')[0] as string);
}

/** Zsh completes at a terminal only: it is given one, in which the command tells what it was called with. */
function askZsh(line: string): string[] {
  const script = `
    zmodload zsh/zpty
    zpty shell "zsh -f -i"
    zpty -w shell "PS1=; autoload -U compinit; compinit -D -u; source $1; bus-mcp() { print -r -- \\"<<\\$*>>\\" }; print read\\"\\"y"
    zpty -r shell answer '*ready*'
    zpty -w -n shell "$2"$'\\t'$'\\n'
    zpty -r shell answer '*<<*>>*'
    print -r -- "$answer"
    zpty -d shell
  `;
  const answer = run('zsh', ['-f', '-c', script, 'zsh', join(folder, 'zsh'), line]);
  const called = answer.match(/<<(.*)>>/)?.[1] ?? answer;
  const word = called.trim().split(' ').at(-1);
  return word === undefined ? [] : [word];
}

function run(shell: Shell, argv: readonly string[]): string {
  const environment = { PATH: process.env.PATH, HOME: folder, TERM: 'dumb' };
  return execFileSync(shell, argv, { encoding: 'utf8', env: environment, timeout: 20_000 });
}

function toLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
