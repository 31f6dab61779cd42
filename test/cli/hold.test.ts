import { afterAll, describe, expect, it, vi } from 'vitest';
import { folder, held, hold, namesOf, nextFile, read, removeFolder, unreachable } from './hold-run.ts';
import { createManualTimers } from './manual-timers.ts';
import { toGrant } from './rows.ts';

afterAll(removeFolder);

describe('hold', () => {
  it('runs the command with the lane and the fence in its environment, and releases at its end', async () => {
    const file = nextFile();
    const run = hold([
      'feeds',
      '--owner',
      'ada',
      '--',
      'sh',
      '-c',
      `echo $BUS_LANE $BUS_FENCE $BUS_OWNER > ${file}`,
    ]);
    expect(await run.status).toBe(0);
    expect(read(file)).toBe('feeds 3 ada\n');
    expect(run.calls).toEqual([
      { name: 'claimLane', input: { lane: 'feeds', owner: 'ada', lease_s: 60, wait_s: 0 } },
      { name: 'releaseLane', input: { lane: 'feeds', owner: 'ada', fence: 3 } },
    ]);
    expect(run.isClosed()).toBe(true);
    expect(run.signals.eventNames()).toEqual([]);
  });

  it.each([
    ['exit 7', 7],
    ['kill -KILL $$', 137],
    ['kill -TERM $$', 143],
  ])('ends with the status of the command: %s', async (command, status) => {
    const run = hold(['feeds', '--', 'sh', '-c', command]);
    expect(await run.status).toBe(status);
    expect(namesOf(run)).toContain('releaseLane');
  });

  it.each([
    ['no-such-command-at-all', 127],
    [folder, 126],
    ['', 126],
  ])('releases the lane when %j cannot be started', async (command, status) => {
    const run = hold(['feeds', '--', command]);
    expect(await run.status).toBe(status);
    expect(run.errorOutput()).toContain(`could not start '${command}'`);
    expect(namesOf(run)).toEqual(['claimLane', 'releaseLane']);
  });

  it('leaves the flags after -- to the command', async () => {
    const file = nextFile();
    const run = hold(['feeds', '--', 'sh', '-c', `echo "$@" > ${file}`, 'sh', '--port', '1', '--', '--json']);
    expect(await run.status).toBe(0);
    expect(read(file)).toBe('--port 1 -- --json\n');
  });

  it.each([
    [['feeds', 'true'], 'put -- between'],
    [['feeds', '--'], "missing required argument 'command'"],
    [['feeds', 'extra', '--', 'true'], 'put -- between'],
    [['../x', '--', 'true'], '<lane> must match'],
    [['feeds', '--lease', '0', '--', 'true'], '--lease-s must be at least 1'],
    [['feeds', '--wait', 'long', '--', 'true'], '--wait must be a number'],
  ])('refuses %j before it asks the bus', async (argv, sentence) => {
    const run = hold(argv);
    expect(await run.status).toBe(2);
    expect(run.errorOutput()).toContain(sentence);
    expect(run.calls).toEqual([]);
  });
});

describe('the owner of a hold', () => {
  it('is unique to the process, also when an agent id is set', async () => {
    const plain = hold(['feeds', '--', 'true']);
    await plain.status;
    expect(plain.calls[0]?.input.owner).toMatch(new RegExp(`^hold:.+:${process.pid}$`));
    const environment = { PATH: process.env.PATH, BUS_MCP_AGENT_ID: 'a'.repeat(200) };
    const named = hold(['feeds', '--', 'true'], { environment });
    await named.status;
    const owner = String(named.calls[0]?.input.owner);
    expect(owner).toMatch(new RegExp(`^a+:hold:${process.pid}$`));
    expect(owner).toHaveLength(200);
  });
});

describe('the wait of a hold', () => {
  it('keeps its place as long as the bus allows, again and again, and says who holds the lane', async () => {
    const timers = createManualTimers();
    const waits: number[] = [];
    const claimLane = async ({ wait_s, ...claim }: { wait_s: number; lane: string; owner: string }) => {
      waits.push(wait_s);
      if (waits.length === 4) return toGrant(claim);
      await new Promise<void>((resolve) => timers.after(wait_s * 1000, resolve));
      throw held;
    };
    const run = hold(['feeds', '--owner', 'ada', '--', 'true'], { script: { claimLane }, timers });
    await timers.advance(700_000);
    expect(await run.status).toBe(0);
    expect(waits).toEqual([0, 300, 300, 300]);
    expect(run.errorOutput()).toBe("lane 'feeds' is held by 'bob': waiting for it as 'ada'\n");
  });

  it('ends with status 1 when its time is over', async () => {
    const timers = createManualTimers();
    const waits: number[] = [];
    const claimLane = async ({ wait_s }: { wait_s: number }) => {
      waits.push(wait_s);
      await new Promise<void>((resolve) => timers.after(wait_s * 1000, resolve));
      throw held;
    };
    const run = hold(['feeds', '--wait', '400', '--', 'true'], { script: { claimLane }, timers });
    await timers.advance(500_000);
    expect(await run.status).toBe(1);
    expect(waits).toEqual([0, 300, 100]);
    expect(run.errorOutput()).toContain(held.detail);
  });

  it('of no time at all asks once', async () => {
    const run = hold(['feeds', '--wait', '0', '--', 'true'], {
      script: { claimLane: () => Promise.reject(held) },
    });
    expect(await run.status).toBe(1);
    expect(run.calls).toHaveLength(1);
  });

  it('outlives a bus that goes away, but not one that was never there', async () => {
    const timers = createManualTimers();
    let attempts = 0;
    const claimLane = (claim: Record<string, unknown>) => {
      attempts += 1;
      if (attempts === 1) throw held;
      if (attempts < 4) throw unreachable;
      return toGrant(claim);
    };
    const run = hold(['feeds', '--', 'true'], { script: { claimLane }, timers });
    await timers.advance(10_000);
    expect(await run.status).toBe(0);
    expect(run.errorOutput().match(/trying again/g)).toHaveLength(1);
    const never = hold(['feeds', '--', 'true'], { script: { claimLane: () => Promise.reject(unreachable) } });
    expect(await never.status).toBe(3);
  });

  it('ends at a signal, with its status, and gives back what came in that moment', async () => {
    const claimLane = ({ wait_s }: { wait_s: number }, call?: { signal?: AbortSignal | undefined }) => {
      if (wait_s === 0) throw held;
      return new Promise((_, reject) => {
        call?.signal?.addEventListener('abort', () => reject(new Error('ended')));
      });
    };
    const run = hold(['feeds', '--', 'true'], { script: { claimLane } });
    await vi.waitFor(() => expect(run.calls).toHaveLength(2));
    run.signals.emit('SIGTERM');
    expect(await run.status).toBe(143);
    expect(namesOf(run)).toEqual(['claimLane', 'claimLane', 'releaseLane']);
    const shared = hold(['feeds', '--owner', 'ada', '--', 'true'], { script: { claimLane } });
    await vi.waitFor(() => expect(shared.calls).toHaveLength(2));
    shared.signals.emit('SIGTERM');
    expect(await shared.status).toBe(143);
    // Another process may hold the lane as that owner.
    expect(namesOf(shared)).toEqual(['claimLane', 'claimLane']);
  });
});
