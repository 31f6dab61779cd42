import { describe, expect, it } from 'vitest';
import { toFlagNames, toTypedText } from '../src/cli/typed-text.ts';
import { contract, operations } from '../src/contract/contract.ts';
import { BusError, BusUnreachableError, toBusError } from '../src/contract/errors.ts';
import { toKebabCase, toSnakeCase } from '../src/contract/names.ts';
import { toCommandName } from '../src/contract/operation.ts';
import { runToEnd } from './cli/command-line.ts';

const commands = operations.filter(([, operation]) => operation.doors.includes('cli'));
const held = toBusError('lane_held', "lane 'feeds' held by 'bob' (lease 9s remaining)", {
  lane: 'feeds',
  owner: 'bob',
  expires_in_s: 9,
  fence: 4,
  waiters: 0,
});

describe('every operation', () => {
  it.each(commands)('%s has a command whose help describes each of its fields', async (name, operation) => {
    const { output, status } = await runToEnd([toCommandName(name, operation), '--help']);
    expect(status).toBe(0);
    const text = output.replace(/\s+/g, ' ');
    expect(text).toContain(operation.summary);
    for (const field of Object.keys(operation.input.shape)) {
      const isPositional = operation.positionalFields.includes(field);
      expect(text.replaceAll('...>', '>')).toContain(
        isPositional ? `<${toKebabCase(field)}>` : toFlagNames(field)[0],
      );
      expect(text).toContain(toTypedText(operation.input.shape[field]?.description ?? ''));
    }
  });

  it.each(commands)('%s is listed by its short name, and its long name runs too', async (name, operation) => {
    const { output } = await runToEnd(['--help']);
    const text = output.replace(/\s+/g, ' ');
    expect(operation.command?.name).toMatch(/^[a-z]{3,8}$/);
    expect(text).toContain(` ${operation.command?.name} `);
    expect(text).toContain(operation.summary);
    expect(output).not.toContain(` ${toKebabCase(name)} `);
    const long = await runToEnd([toKebabCase(name), '--help']);
    expect(long).toMatchObject({
      status: 0,
      output: (await runToEnd([toCommandName(name, operation), '--help'])).output,
    });
  });

  it.each(commands)('%s is named by the error for each word that people try for it', async (_, operation) => {
    for (const word of operation.command?.alsoTried ?? []) {
      const { errorOutput, status } = await runToEnd([word]);
      expect([status, errorOutput]).toEqual([
        2,
        `unknown command '${word}' (Did you mean ${operation.command?.name}?); see bus-mcp --help\n`,
      ]);
    }
  });
});

describe('the exit status', () => {
  it('is 0 for what was done, and the bus is closed', async () => {
    const script = { readMessages: () => ({ messages: [], cursor: 0, has_more: false }) };
    const run = await runToEnd(['read'], { script });
    expect(run.status).toBe(0);
    expect(run.isClosed()).toBe(true);
  });

  it('is 1 for a refusal, with the sentence of the bus on stderr and the bus closed', async () => {
    const script = { claimLane: () => Promise.reject(held) };
    const run = await runToEnd(['claim', 'feeds', '--owner', 'ada'], { script });
    expect(run.status).toBe(1);
    expect(run.errorOutput).toBe(`${held.detail}\n`);
    expect(run.output).toBe('');
    expect(run.isClosed()).toBe(true);
  });

  it('is 1 for a refusal, whose remedy is told by its flag', async () => {
    const detail =
      "lane 'with wait_s' held by 'bob' (lease 9s remaining): wait for it with wait_s, or claim another lane";
    const { code, data } = held;
    const refusal = new BusError({ status: 409, detail, code, data });
    const script = { claimLane: () => Promise.reject(refusal) };
    expect((await runToEnd(['claim', 'feeds', '--owner', 'ada'], { script })).errorOutput).toBe(
      "lane 'with wait_s' held by 'bob' (lease 9s remaining): wait for it with --wait, or claim another lane\n",
    );
    const { output } = await runToEnd(['claim', 'feeds', '--owner', 'ada', '--json'], { script });
    expect(JSON.parse(output).error.message).toBe(detail);
  });

  it('is 1 for a refusal in JSON too, which then stands on stdout', async () => {
    const script = { claimLane: () => Promise.reject(held) };
    const { errorOutput, output, status } = await runToEnd(['claim', 'feeds', '--owner', 'ada', '--json'], {
      script,
    });
    expect(status).toBe(1);
    expect(errorOutput).toBe('');
    const { code, data, detail: message } = held;
    const error = { type: 'bus_api_error', message, status_code: 409, code, data };
    expect(JSON.parse(output)).toEqual({ ok: false, error });
  });

  it.each([
    ['an unknown command', ['clam'], 'Did you mean claim?', ''],
    ['an unknown command with a flag', ['nope', '--help'], "unknown command 'nope'", ''],
    ['the help of an unknown command', ['help', 'nope'], "unknown command 'nope'", ''],
    ['the long name of a command, misspelt', ['clam-lane'], 'Did you mean claim?', ''],
    ['a word that is near no command', ['zzzzzz'], "unknown command 'zzzzzz';", ''],
    ['the help of a misspelt command', ['help', 'clam-lane'], 'Did you mean claim?', ''],
    ['an unknown flag', ['claim', 'feeds', '--ownr', 'a'], 'Did you mean --owner?', ' claim'],
    ['an unknown setting without a command', ['--prot', '1'], 'unknown option', ''],
    ['an argument too many', ['lane', 'a', 'b'], 'too many arguments', ' lane'],
    ['an argument too few', ['lane'], "missing required argument 'lane'", ' lane'],
    ['a flag without its value', ['lane', 'a', '--base-url'], 'argument missing', ' lane'],
    ['a value that does not fit', ['read', '--limit', '0'], 'must be at least 1', ' read'],
  ])('is 2 for %s, with a hint', async (_, argv, hint, command) => {
    const { errorOutput, output, status } = await runToEnd(argv);
    expect(status).toBe(2);
    expect(output).toBe('');
    expect(errorOutput).toContain(hint);
    expect(errorOutput).toMatch(new RegExp(`^[^\\n]+; see bus-mcp${command} --help\\n$`));
    expect(errorOutput).not.toMatch(/^error:|\n\s+at /);
  });

  it('is 2 in JSON too, also when the flags themselves were wrong', async () => {
    const { output, status } = await runToEnd(['claim', 'feeds', '--ownr', 'a', '--json']);
    expect(status).toBe(2);
    expect(JSON.parse(output).error).toMatchObject({ type: 'invalid_arguments', code: 'invalid_input' });
    const bad = await runToEnd(['read', '--limit', 'many', '--json']);
    const issues = [{ field: 'limit', message: 'must be a number' }];
    expect(JSON.parse(bad.output).error.data).toEqual({ issues });
    const tooShort = await runToEnd(['claim', 'feeds', '--owner', 'ada', '--lease', '0', '--json']);
    expect(JSON.parse(tooShort.output).error.message).toBe('invalid input: lease_s must be at least 1');
  });

  it('is 3 when no bus answered', async () => {
    const unreachable = new BusUnreachableError('no bus answered at http://x', 'http://x');
    const script = { getBusStatus: () => Promise.reject(unreachable) };
    const { errorOutput, status } = await runToEnd(['status'], { script });
    expect(status).toBe(3);
    expect(errorOutput).toBe('no bus answered at http://x\n');
    const json = await runToEnd(['status', '--json'], { script });
    expect(json.status).toBe(3);
    expect(JSON.parse(json.output).error).toMatchObject({ type: 'bus_unreachable', url: 'http://x' });
  });

  it('is 1 for a failure that nobody foresaw, without a stack trace', async () => {
    const script = { getBusStatus: () => Promise.reject(new TypeError('odd')) };
    const { errorOutput, status } = await runToEnd(['status'], { script });
    expect(status).toBe(1);
    expect(errorOutput).toBe('odd\n');
  });
});

describe('the rest of the command line', () => {
  it('lists the six tools without a bus', async () => {
    const tools = operations.filter(([, { doors }]) => doors.some((door) => door === 'mcp'));
    expect(tools).toHaveLength(6);
    const { output, status } = await runToEnd(['tools'], { environment: { BUS_PORT: 'nonsense' } });
    expect(status).toBe(0);
    const lines = output.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/\s{2,}/))).toEqual(
      tools.map(([name, { summary }]) => [toSnakeCase(name), summary]),
    );
    const json = await runToEnd(['tools', '--json']);
    expect(JSON.parse(json.output).tools[0]).toEqual({
      name: 'post_message',
      title: contract.postMessage.title,
      summary: contract.postMessage.summary,
    });
  });

  it.each([['help'], ['help', 'lane'], ['lane', '--help'], ['--help']])(
    'prints help for %s %s',
    async (...argv) => {
      const { output, status } = await runToEnd(argv);
      expect(status).toBe(0);
      expect(output).toMatch(/^Usage: bus-mcp/);
    },
  );

  it.each(['--version', '-v', '-V', 'version'])('prints its version for %s', async (word) => {
    expect(await runToEnd([word])).toMatchObject({ status: 0, output: '9.9.9\n' });
  });

  it.each([
    [[], 'mcp'],
    [['--read-only'], 'mcp'],
    [['mcp', '--read-only'], 'mcp'],
    [['serve', '--port', '0'], 'serve'],
    [['--port', '0', 'serve'], 'serve'],
  ])('%j runs %s with its settings', async (argv, expected) => {
    const ran: string[] = [];
    const actions = {
      openBus: () => Promise.reject(new Error('no bus is needed')),
      mcp: async (config: { readOnly: boolean }) => void ran.push(`mcp ${config.readOnly}`),
      serve: async (config: { port: number }) => void ran.push(`serve ${config.port}`),
    };
    expect((await runToEnd(argv, { actions })).status).toBe(0);
    const setting = expected === 'mcp' ? argv.includes('--read-only') : 0;
    expect(ran).toEqual([`${expected} ${setting}`]);
  });

  it('runs the commands of other rooms, and lists them', async () => {
    const doctor = {
      name: 'doctor',
      group: 'This machine' as const,
      summary: 'Check this machine',
      readers: [],
      run: async () => 5,
    };
    const given = { extraCommands: [doctor] };
    expect((await runToEnd(['doctor'], given)).status).toBe(5);
    const { output } = await runToEnd(['--help'], given);
    expect(output.slice(output.indexOf('This machine:'))).toMatch(/\n {2}doctor +Check this machine\n/);
  });

  it('never repeats the value of a flag it does not know, which may be a secret', async () => {
    const { errorOutput, status } = await runToEnd(['serve', '--write-secret=hunter2']);
    expect(status).toBe(2);
    expect(errorOutput).toContain("unknown option '--write-secret'");
    expect(errorOutput).not.toContain('hunter2');
  });
});
