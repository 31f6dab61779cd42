import { describe, expect, it } from 'vitest';
import { toOwnId } from '../../src/client-side/session.ts';
import { toBusError } from '../../src/contract/errors.ts';
import { runToEnd } from './command-line.ts';
import { toGrant, toMessage } from './rows.ts';

describe('the agent id', () => {
  it('is filled in from the setting when it is left out, and said on stderr', async () => {
    const environment = { BUS_MCP_AGENT_ID: 'ada' };
    const script = { claimLane: () => toGrant() };
    const { calls, errorOutput, output } = await runToEnd(['claim', 'feeds'], { script, environment });
    expect(calls[0]?.input.owner).toBe('ada');
    expect(errorOutput).toBe('as ada\n');
    expect(output).toBe('claimed lane feeds as ada (lease 1m, fence 3)\n');
  });

  it.each(['claim', 'renew', 'release'])(
    'must be given for %s: the next command would have another',
    async (command) => {
      const { calls, errorOutput, status } = await runToEnd([command, 'feeds']);
      expect([status, calls]).toEqual([2, []]);
      expect(errorOutput).toBe(
        `invalid input: --owner is required: name yourself, or set BUS_MCP_AGENT_ID once for this shell, so that later commands can renew and release the lane; see bus-mcp ${command} --help\n`,
      );
      const json = await runToEnd([command, 'feeds', '--json']);
      expect(JSON.parse(json.output).error.data.issues).toEqual([{ field: 'owner', message: 'is required' }]);
    },
  );

  it('is made up for a post, which nobody has to take back', async () => {
    const { calls, errorOutput } = await runToEnd(['post', 'plans', 'hi'], {
      script: { postMessage: () => toMessage() },
    });
    expect(calls[0]?.input.sender).toMatch(/^session:.+:\w+$/);
    expect(errorOutput).toBe(`as ${calls[0]?.input.sender}\n`);
  });

  it('is that of the agent whose shell the command runs in, for its lanes too', async () => {
    const environment = { CLAUDE_CODE_SESSION_ID: 'c1' };
    const script = { joinAgent: () => ({ agent: 'claude-3', is_new: false }), claimLane: () => toGrant() };
    const { calls, errorOutput } = await runToEnd(['claim', 'feeds'], { script, environment });
    expect(calls.map(({ input }) => input)).toMatchObject([
      { session: 'claude:c1', client: 'claude' },
      { lane: 'feeds', owner: 'claude-3' },
    ]);
    expect(errorOutput).toBe('as claude-3\n');
  });

  it('is made of the session where the bus is too old to give one', async () => {
    const environment = { CODEX_THREAD_ID: 't1' };
    const refuse = () => {
      throw toBusError('not_found', 'there is no such route', {});
    };
    const script = { joinAgent: refuse, claimLane: () => toGrant() };
    const { calls } = await runToEnd(['claim', 'feeds'], { script, environment });
    expect(calls.at(-1)?.input.owner).toBe(toOwnId({ client: 'codex', session: 'codex:t1' }));
  });

  it('is not asked for where a command names who calls', async () => {
    const environment = { CLAUDE_CODE_SESSION_ID: 'c1' };
    const script = { claimLane: () => toGrant() };
    const { calls } = await runToEnd(['claim', 'feeds', '--owner', 'ada'], { script, environment });
    expect(calls.map(({ input }) => input.owner)).toEqual(['ada']);
  });

  it('is a field of the answer for programs', async () => {
    const script = { postMessage: () => toMessage() };
    const { errorOutput, output } = await runToEnd(['post', 'plans', 'hi', '--json'], { script });
    expect(JSON.parse(output)).toEqual({
      ...toMessage(),
      agent_id: expect.stringMatching(/^session:.+:\w+$/),
    });
    expect(errorOutput).toBe('');
  });

  it('is not who acknowledges a flag: that is a person, by the name under which it is logged in', async () => {
    const environment = { BUS_MCP_AGENT_ID: 'ada', LOGNAME: 'grace' };
    const script = { acknowledgeFlag: ({ by }: { by: string }) => toMessage({ acknowledged_by: by }) };
    const typed = await runToEnd(['ack', '1'], { script, environment });
    expect(typed.calls[0]?.input).toEqual({ id: 1, by: 'grace' });
    expect([typed.errorOutput, typed.output]).toEqual(['as grace\n', 'acknowledged #1 by grace\n']);
    const json = await runToEnd(['ack', '1', '--json'], { script, environment });
    expect(JSON.parse(json.output)).toEqual(toMessage({ acknowledged_by: 'grace' }));
    const named = await runToEnd(['ack', '1', '--by', 'eve'], { script, environment });
    expect(named.calls[0]?.input).toEqual({ id: 1, by: 'eve' });
    const { output } = await runToEnd(['ack', '--help']);
    expect(output.replace(/\s+/g, ' ')).toContain(
      '--by <text> Who takes care of it (default: your login name)',
    );
  });

  it('is not mentioned when it was typed', async () => {
    const script = { postMessage: () => toMessage() };
    const typed = ['post', 'plans', 'hi', '--sender', 'bob', '--json'];
    const { output } = await runToEnd(typed, { script });
    expect(JSON.parse(output)).toEqual(toMessage());
  });
});
