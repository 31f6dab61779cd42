import { describe, expect, it } from 'vitest';
import { runToEnd } from './command-line.ts';
import { toGrant, toMessage } from './rows.ts';

describe('the agent id', () => {
  it('is filled in from the setting when it is left out, and said on stderr', async () => {
    const environment = { BUS_MCP_AGENT_ID: 'ada' };
    const script = { claimLane: () => toGrant() };
    const { calls, errorOutput, output } = await runToEnd(['claim', 'feeds'], { script, environment });
    expect(calls[0]?.input.owner).toBe('ada');
    expect(errorOutput).toBe('as ada\n');
    expect(output).toBe('claimed lane feeds as ada (lease 60s, fence 3)\n');
  });

  it('that is made up says how to release what was claimed: the next command has another', async () => {
    const script = { claimLane: () => toGrant(), postMessage: () => toMessage() };
    const { calls, errorOutput } = await runToEnd(['claim', 'feeds'], { script });
    const { owner } = calls[0]?.input ?? {};
    expect(owner).toMatch(/^session:.+:\w+$/);
    expect(errorOutput).toBe(
      `as ${owner}, the id of this command alone: release it with --owner ${owner}, or set BUS_MCP_AGENT_ID to one id before you claim\n`,
    );
    const posted = await runToEnd(['post', 'plans', 'hi'], { script });
    expect(posted.errorOutput).toBe(`as ${owner}\n`);
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
