import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Call } from '../../src/contract/contract.ts';
import { idempotencyKeyPattern } from '../../src/contract/limits.ts';
import { createFolder } from '../folder.ts';
import { openStage } from '../suite/stage.ts';
import { startCommandLine } from './command-line.ts';
import { held, hold, namesOf, nextFile, notHolder, read, unreachable } from './hold-run.ts';
import { createManualTimers } from './manual-timers.ts';
import { toGrant } from './rows.ts';

type Claim = Readonly<{ lane: string; owner: string; wait_s: number }>;

describe('the wait of a hold', () => {
  it('is asked again under its key before the bus would end it, and says who holds the lane', async () => {
    const timers = createManualTimers();
    const asked: (readonly [at: number, wait: number])[] = [];
    const keys = new Set<string | undefined>();
    const claimLane = async ({ wait_s, ...claim }: Claim, call?: Call) => {
      asked.push([timers.now() - startedAt, wait_s]);
      keys.add(call?.idempotencyKey);
      if (asked.length === 4) return toGrant(claim);
      await new Promise<void>((resolve) => timers.after(wait_s * 1000, resolve));
      throw held;
    };
    const startedAt = timers.now();
    const run = hold(['feeds', '--', 'true'], { script: { claimLane }, timers });
    await timers.advance(700_000);
    expect(await run.status).toBe(0);
    expect(asked).toEqual([
      [0, 0],
      [0, 300],
      [290_000, 300],
      [580_000, 300],
    ]);
    expect([...keys]).toEqual([expect.stringMatching(idempotencyKeyPattern)]);
    expect(run.errorOutput()).toMatch(/^lane 'feeds' is held by 'bob': waiting for it as 'hold:.+'\n$/);
  });

  it('goes on with the call before when the next one fails, and ends what is left once it is granted', async () => {
    const timers = createManualTimers();
    const left: (AbortSignal | undefined)[] = [];
    let grant = () => {};
    const claimLane = ({ wait_s, ...claim }: Claim, call?: Call) => {
      left.push(call?.signal);
      if (wait_s === 0) throw held;
      if (left.length === 3) throw unreachable;
      return new Promise((resolve) => {
        grant = () => resolve(toGrant(claim));
      });
    };
    const run = hold(['feeds', '--', 'true'], { script: { claimLane }, timers });
    await timers.advance(295_000);
    expect(left).toHaveLength(3);
    grant();
    expect(await run.status).toBe(0);
    expect(left.slice(1).map((signal) => signal?.aborted)).toEqual([true, true]);
    expect(run.errorOutput()).not.toContain('trying again');
  });

  it('ends with a status of its own when its time is over', async () => {
    const timers = createManualTimers();
    const waits: number[] = [];
    const claimLane = async ({ wait_s }: { wait_s: number }) => {
      waits.push(wait_s);
      await new Promise<void>((resolve) => timers.after(wait_s * 1000, resolve));
      throw held;
    };
    const run = hold(['feeds', '--wait', '400', '--', 'true'], { script: { claimLane }, timers });
    await timers.advance(500_000);
    expect(await run.status).toBe(75);
    expect(waits).toEqual([0, 300, 110]);
    expect(run.errorOutput()).toContain(held.detail);
  });

  it('of no time at all asks once', async () => {
    const run = hold(['feeds', '--wait', '0', '--', 'true'], {
      script: { claimLane: () => Promise.reject(held) },
    });
    expect(await run.status).toBe(75);
    expect(run.calls).toHaveLength(1);
  });

  it('that is over ends with the status that was asked for', async () => {
    const script = { claimLane: () => Promise.reject(held) };
    const run = hold(['feeds', '--wait', '0', '--wait-status', '0', '--', 'false'], { script });
    expect(await run.status).toBe(0);
    expect(run.errorOutput()).toContain(held.detail);
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

  it('finds its grant again when the answer was lost, and makes sure that it is not over', async () => {
    const timers = createManualTimers();
    const keys: (string | undefined)[] = [];
    let renewals = 0;
    const claimLane = (claim: Record<string, unknown>, call?: Call) => {
      keys.push(call?.idempotencyKey);
      if (keys.length === 1) throw held;
      if (keys.length === 2) throw unreachable;
      return toGrant({ ...claim, fence: keys.length });
    };
    const heartbeatLane = (claim: Record<string, unknown>) => {
      renewals += 1;
      if (renewals === 1) throw notHolder;
      return { ...toGrant(claim), decision: 'heartbeat' };
    };
    const file = nextFile();
    const run = hold(['feeds', '--', 'sh', '-c', `echo $BUS_FENCE > ${file}`], {
      script: { claimLane, heartbeatLane },
      timers,
    });
    await timers.advance(10_000);
    expect(await run.status).toBe(0);
    // The grant of the third call had run out, so the fourth is another request.
    expect(keys.map((key) => keys.indexOf(key))).toEqual([0, 0, 0, 3]);
    expect(namesOf(run)).toEqual([
      ...Array(3).fill('claimLane'),
      'heartbeatLane',
      'claimLane',
      'releaseLane',
    ]);
    expect(read(file)).toBe('4\n');
  });

  it('takes a renewal for its own when nobody else can have its name', async () => {
    const claimLane = (claim: Record<string, unknown>) => ({ ...toGrant(claim), decision: 'renew' });
    const run = hold(['feeds', '--', 'true'], { script: { claimLane } });
    expect(await run.status).toBe(0);
    expect(namesOf(run)).toEqual(['claimLane', 'releaseLane']);
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
    await vi.waitFor(() => expect(shared.calls).toHaveLength(3));
    shared.signals.emit('SIGTERM');
    expect(await shared.status).toBe(143);
    // Another process may hold the lane as that owner.
    expect(namesOf(shared)).toEqual(['getLane', 'claimLane', 'claimLane']);
  });
});

describe('the place of a hold', () => {
  it('is kept for as long as it waits, at a bus where no call may wait so long', async () => {
    const folder = createFolder();
    const stage = await openStage(join(folder, 'bus.db'));
    onTestFinished(async () => {
      await stage.close();
    });
    const { clock, engine, untilInLine } = stage;
    const timers = createManualTimers();
    const order = nextFile();
    const openBus = async () => ({ ...engine, close() {} });
    const actions = { openBus, serve: () => Promise.reject(), mcp: () => Promise.reject() };
    const start = (owner: string) => {
      const command = ['sh', '-c', `echo ${owner} >> ${order}`];
      const environment = { PATH: process.env.PATH };
      return startCommandLine(['hold', 'feeds', '--owner', owner, '--', ...command], {
        actions,
        environment,
        timers,
      });
    };
    await engine.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 86_400 });
    const runs = [];
    const owners = ['bob', 'eve', 'kay'];
    for (const owner of owners) {
      runs.push(start(owner));
      await pass(100, owners.slice(0, runs.length));
    }
    await pass(1_000, owners);
    await engine.releaseLane({ lane: 'feeds', owner: 'ada' });
    expect(await Promise.all(runs.map(({ status }) => status))).toEqual([0, 0, 0]);
    expect(read(order)).toBe('bob\neve\nkay\n');

    async function pass(seconds: number, line: readonly string[]): Promise<void> {
      for (let passed = 0; passed < seconds; passed += 5) {
        await untilInLine('feeds', line);
        clock.advance(5);
        await timers.advance(5_000);
      }
    }
  });
});
