import { describe, expect, it } from 'vitest';
import { contract, operations } from '../src/contract/contract.ts';
import { BusError, BusUnreachableError, toBusError } from '../src/contract/errors.ts';
import { toKebabCase, toSnakeCase } from '../src/contract/names.ts';
import { runToEnd } from './cli/command-line.ts';
import { toGrant, toMessage } from './cli/rows.ts';

const commands = operations.filter(([, operation]) => operation.doors.includes('cli'));
const held = toBusError('lane_held', "lane 'feeds' held by 'bob' (lease 9s remaining)", {
  lane: 'feeds',
  owner: 'bob',
  expires_in_s: 9,
  fence: 4,
  waiters: 0,
});

describe('every operation', () => {
  it.each(commands)('%s has a command whose help names each of its fields', async (name, operation) => {
    const { output, status } = await runToEnd([toKebabCase(name), '--help']);
    expect(status).toBe(0);
    expect(output).toContain(operation.summary);
    for (const field of Object.keys(operation.input.shape)) {
      const isPositional = operation.positionalFields.includes(field);
      expect(output).toContain(isPositional ? `<${toKebabCase(field)}>` : `--${toKebabCase(field)}`);
      expect(output.replace(/\s+/g, ' ')).toContain(operation.input.shape[field]?.description);
    }
  });

  it.each(commands)('%s is in the list of commands', async (name, { summary }) => {
    const { output } = await runToEnd(['--help']);
    const text = output.replace(/\s+/g, ' ');
    expect(text).toContain(` ${toKebabCase(name)} `);
    expect(text).toContain(summary);
  });
});

describe('the input of an operation', () => {
  it('is read from positional arguments and flags, with the types that its schema asks for', async () => {
    const script = { postMessage: () => toMessage() };
    const typed = ['plans', 'hi', '--sender', 'ada', '--action-flag', '--lane', 'feeds', '--fence', '7'];
    const { calls } = await runToEnd(['post-message', ...typed], { script });
    const input = { topic: 'plans', body: 'hi', sender: 'ada', action_flag: true, lane: 'feeds', fence: 7 };
    expect(calls).toEqual([{ name: 'postMessage', input }]);
  });

  it('may name seconds with or without their unit', async () => {
    const script = { claimLane: () => toGrant() };
    const { calls } = await runToEnd(
      ['claim-lane', 'feeds', '--owner', 'a', '--lease', '5', '--wait', '2.5'],
      {
        script,
      },
    );
    const { calls: others } = await runToEnd(
      ['claim-lane', 'feeds', '--owner', 'a', '--lease-s', '5', '--wait-s=2.5'],
      { script },
    );
    expect(calls[0]?.input).toEqual({ lane: 'feeds', owner: 'a', lease_s: 5, wait_s: 2.5 });
    expect(others).toEqual(calls);
  });

  it('is taken from the input for a body that is a dash, without the last line break', async () => {
    const script = { postMessage: () => toMessage() };
    const { calls } = await runToEnd(['post-message', 'plans', '-'], { script, input: 'über\nzwei\n\n' });
    expect(calls[0]?.input.body).toBe('über\nzwei\n');
  });

  it('may begin with a dash after --', async () => {
    const script = { postMessage: () => toMessage() };
    const { calls } = await runToEnd(['post-message', '--', 'plans', '--json'], { script });
    expect(calls[0]?.input.body).toBe('--json');
  });

  it('is checked before the bus is asked, and each bad field is named as it was typed', async () => {
    const { calls, errorOutput, status } = await runToEnd(['claim-lane', '../x', '--lease', '0']);
    expect(status).toBe(2);
    expect(calls).toEqual([]);
    expect(errorOutput).toContain('<lane> must match');
    expect(errorOutput).toContain('--lease must be at least 1');
  });

  it('is told by its flags where one field needs another', async () => {
    const { errorOutput } = await runToEnd(['read-messages', '--wait', '5']);
    expect(errorOutput).toBe(
      'invalid input: --wait needs --since-id: give the cursor of the last answer, or 0; see bus-mcp read-messages --help\n',
    );
  });

  it('carries the idempotency key beside it', async () => {
    const keys: unknown[] = [];
    const postMessage = (_: never, call?: { idempotencyKey?: string | undefined }) => {
      keys.push(call?.idempotencyKey);
      return toMessage();
    };
    await runToEnd(['post-message', 'plans', 'hi', '--idempotency-key', 'k-1'], { script: { postMessage } });
    expect(keys).toEqual(['k-1']);
    const bad = await runToEnd(['post-message', 'plans', 'hi', '--idempotency-key', 'a b']);
    expect(bad.status).toBe(2);
    expect(bad.errorOutput).toContain('--idempotency-key');
  });
});

describe('the exit status', () => {
  it('is 0 for what was done, and the bus is closed', async () => {
    const script = { readMessages: () => ({ messages: [], cursor: 0, has_more: false }) };
    const run = await runToEnd(['read-messages'], { script });
    expect(run.status).toBe(0);
    expect(run.isClosed()).toBe(true);
  });

  it('is 1 for a refusal, with the sentence of the bus on stderr and the bus closed', async () => {
    const script = { claimLane: () => Promise.reject(held) };
    const run = await runToEnd(['claim-lane', 'feeds'], { script });
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
    expect((await runToEnd(['claim-lane', 'feeds'], { script })).errorOutput).toBe(
      "lane 'with wait_s' held by 'bob' (lease 9s remaining): wait for it with --wait, or claim another lane\n",
    );
    const { output } = await runToEnd(['claim-lane', 'feeds', '--json'], { script });
    expect(JSON.parse(output).error.message).toBe(detail);
  });

  it('is 1 for a refusal in JSON too, which then stands on stdout', async () => {
    const script = { claimLane: () => Promise.reject(held) };
    const { errorOutput, output, status } = await runToEnd(['claim-lane', 'feeds', '--json'], { script });
    expect(status).toBe(1);
    expect(errorOutput).toBe('');
    const { code, data, detail: message } = held;
    const error = { type: 'bus_api_error', message, status_code: 409, code, data };
    expect(JSON.parse(output)).toEqual({ ok: false, error });
  });

  it.each([
    ['an unknown command', ['clam-lane'], 'Did you mean claim-lane?', ''],
    ['an unknown command with a flag', ['nope', '--help'], "unknown command 'nope'", ''],
    ['the help of an unknown command', ['help', 'nope'], "unknown command 'nope'", ''],
    ['the help of a misspelt command', ['help', 'clam-lane'], 'Did you mean claim-lane?', ''],
    ['an unknown flag', ['claim-lane', 'feeds', '--ownr', 'a'], 'Did you mean --owner?', ' claim-lane'],
    ['an unknown setting without a command', ['--prot', '1'], 'unknown option', ''],
    ['an argument too many', ['get-lane', 'a', 'b'], 'too many arguments', ' get-lane'],
    ['an argument too few', ['get-lane'], "missing required argument 'lane'", ' get-lane'],
    ['a flag without its value', ['get-lane', 'a', '--base-url'], 'argument missing', ' get-lane'],
    ['a value that does not fit', ['read-messages', '--limit', '0'], 'must be at least 1', ' read-messages'],
  ])('is 2 for %s, with a hint', async (_, argv, hint, command) => {
    const { errorOutput, output, status } = await runToEnd(argv);
    expect(status).toBe(2);
    expect(output).toBe('');
    expect(errorOutput).toContain(hint);
    expect(errorOutput).toMatch(new RegExp(`^[^\\n]+; see bus-mcp${command} --help\\n$`));
    expect(errorOutput).not.toMatch(/^error:|\n\s+at /);
  });

  it('is 2 in JSON too, also when the flags themselves were wrong', async () => {
    const { output, status } = await runToEnd(['claim-lane', 'feeds', '--ownr', 'a', '--json']);
    expect(status).toBe(2);
    expect(JSON.parse(output).error).toMatchObject({ type: 'invalid_arguments', code: 'invalid_input' });
    const bad = await runToEnd(['read-messages', '--limit', 'many', '--json']);
    const issues = [{ field: 'limit', message: 'must be a number' }];
    expect(JSON.parse(bad.output).error.data).toEqual({ issues });
    const tooShort = await runToEnd(['claim-lane', 'feeds', '--lease', '0', '--json']);
    expect(JSON.parse(tooShort.output).error.message).toBe('invalid input: lease_s must be at least 1');
  });

  it('is 3 when no bus answered', async () => {
    const unreachable = new BusUnreachableError('no bus answered at http://x', 'http://x');
    const script = { getBusStatus: () => Promise.reject(unreachable) };
    const { errorOutput, status } = await runToEnd(['get-bus-status'], { script });
    expect(status).toBe(3);
    expect(errorOutput).toBe('no bus answered at http://x\n');
    const json = await runToEnd(['get-bus-status', '--json'], { script });
    expect(json.status).toBe(3);
    expect(JSON.parse(json.output).error).toMatchObject({ type: 'bus_unreachable', url: 'http://x' });
  });

  it('is 1 for a failure that nobody foresaw, without a stack trace', async () => {
    const script = { getBusStatus: () => Promise.reject(new TypeError('odd')) };
    const { errorOutput, status } = await runToEnd(['get-bus-status'], { script });
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

  it.each([['help'], ['help', 'get-lane'], ['get-lane', '--help'], ['--help']])(
    'prints help for %s %s',
    async (...argv) => {
      const { output, status } = await runToEnd(argv);
      expect(status).toBe(0);
      expect(output).toMatch(/^Usage: bus-mcp/);
    },
  );

  it('prints its version', async () => {
    expect(await runToEnd(['--version'])).toMatchObject({ status: 0, output: '9.9.9\n' });
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
