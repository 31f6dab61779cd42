import { describe, expect, it } from 'vitest';
import { runToEnd } from './command-line.ts';
import { toGrant, toMessage } from './rows.ts';

describe('the input of an operation', () => {
  it('is read from positional arguments and flags, with the types that its schema asks for', async () => {
    const script = { postMessage: () => toMessage() };
    const typed = ['plans', 'hi', '--sender', 'ada', '--action-flag', '--lane', 'feeds', '--fence', '7'];
    const { calls } = await runToEnd(['post', ...typed], { script });
    const input = { topic: 'plans', body: 'hi', sender: 'ada', action_flag: true, lane: 'feeds', fence: 7 };
    expect(calls).toEqual([{ name: 'postMessage', input }]);
  });

  it.each([
    [['--lease', '5', '--wait', '2.5']],
    [['--lease-s', '5', '--wait-s=2.5']],
    [['--lease', '5s', '--wait', '2.5s']],
  ])('takes the flags %j', async (flags) => {
    const script = { claimLane: () => toGrant() };
    const { calls } = await runToEnd(['claim', 'feeds', '--owner', 'a', ...flags], { script });
    expect(calls[0]?.input).toEqual({ lane: 'feeds', owner: 'a', lease_s: 5, wait_s: 2.5 });
  });

  it.each([
    ['90s', 90],
    ['5m', 300],
    ['1h30m', 5400],
    ['12h', 43_200],
    ['2d', 172_800],
  ])('takes the duration %s', async (lease, lease_s) => {
    const script = { claimLane: () => toGrant() };
    const { calls } = await runToEnd(['claim', 'feeds', '--owner', 'a', '--lease', lease], { script });
    expect(calls[0]?.input.lease_s).toBe(lease_s);
  });

  it.each(['5x', 'm', '5 m', '-5m', '1e3', 'soon', '5min'])('refuses %j as a duration', async (lease) => {
    const { errorOutput, status } = await runToEnd(['claim', 'feeds', '--owner', 'a', `--lease=${lease}`]);
    expect(status).toBe(2);
    expect(errorOutput).toBe(
      'invalid input: --lease must be a duration, as in 90s, 5m or 12h; see bus-mcp claim --help\n',
    );
  });

  it('names a cursor by the short flag or the long one', async () => {
    const script = { readMessages: () => ({ messages: [] }) };
    const { calls } = await runToEnd(['read', '--since', '7'], { script });
    expect(calls[0]?.input).toMatchObject({ since_id: 7 });
    const long = await runToEnd(['read', '--since-id', '7'], { script });
    expect(long.calls).toEqual(calls);
  });

  it('is taken from the input for a body that is a dash, without the last line break', async () => {
    const script = { postMessage: () => toMessage() };
    const { calls } = await runToEnd(['post', 'plans', '-'], { script, input: 'über\nzwei\n\n' });
    expect(calls[0]?.input.body).toBe('über\nzwei\n');
  });

  it('is taken from the input without the byte order mark that PowerShell puts before it', async () => {
    const script = { postMessage: () => toMessage() };
    const { calls } = await runToEnd(['post', 'plans', '-'], { script, input: '\ufeffüber\r\n' });
    expect(calls[0]?.input.body).toBe('über');
  });

  it('may begin with a dash after --', async () => {
    const script = { postMessage: () => toMessage() };
    const { calls } = await runToEnd(['post', '--', 'plans', '--json'], { script });
    expect(calls[0]?.input.body).toBe('--json');
  });

  it('is checked before the bus is asked, and each bad field is named as it was typed', async () => {
    const { calls, errorOutput, status } = await runToEnd(['claim', '../x', '--lease', '0']);
    expect(status).toBe(2);
    expect(calls).toEqual([]);
    expect(errorOutput).toContain('<lane> must be letters');
    expect(errorOutput).toContain('--lease must be at least 1');
  });

  it('is told by its flags where one field needs another', async () => {
    const { errorOutput } = await runToEnd(['read', '--wait', '5']);
    expect(errorOutput).toBe(
      'invalid input: --wait needs --since: give the cursor of the last answer, or 0; see bus-mcp read --help\n',
    );
  });

  it('carries the idempotency key beside it', async () => {
    const keys: unknown[] = [];
    const postMessage = (_: never, call?: { idempotencyKey?: string | undefined }) => {
      keys.push(call?.idempotencyKey);
      return toMessage();
    };
    await runToEnd(['post', 'plans', 'hi', '--idempotency-key', 'k-1'], { script: { postMessage } });
    expect(keys).toEqual(['k-1']);
    const bad = await runToEnd(['post', 'plans', 'hi', '--idempotency-key', 'a b']);
    expect(bad.status).toBe(2);
    expect(bad.errorOutput).toContain('--idempotency-key');
  });
});
