import { describe, expect, it, vi } from 'vitest';
import { isRunning } from '../../src/cli/descendants.ts';
import { hold, holdOpen, namesOf, nextFile, notHolder, read, turns, unreachable } from './hold-run.ts';
import { createManualTimers } from './manual-timers.ts';
import { toGrant } from './rows.ts';

describe('the lease of a hold', () => {
  it('is renewed at a third of it for as long as the command runs, and no longer', async () => {
    const timers = createManualTimers();
    const run = holdOpen({ timers }, ['--owner', 'ada']);
    await run.hasBegun();
    await timers.advance(19_999);
    expect(namesOf(run)).toEqual(['getLane', 'claimLane']);
    await timers.advance(1);
    expect(run.calls[2]).toEqual({
      name: 'heartbeatLane',
      input: { lane: 'feeds', owner: 'ada', lease_s: 60, fence: 3 },
    });
    await timers.advance(200_000);
    expect(namesOf(run).filter((name) => name === 'heartbeatLane')).toHaveLength(11);
    run.letEnd();
    expect(await run.status).toBe(5);
    expect(namesOf(run).at(-1)).toBe('releaseLane');
    expect(timers.count()).toBe(0);
  });

  it('goes by what was granted, not by what was asked', async () => {
    const timers = createManualTimers();
    const claimLane = ({ lane, owner }: Record<string, unknown>) =>
      toGrant({ lane, owner, lease_s: 9, expires_in_s: 9 });
    const run = holdOpen({ timers, script: { claimLane } });
    await run.hasBegun();
    await timers.advance(3000);
    expect(namesOf(run)).toContain('heartbeatLane');
    run.letEnd();
    await run.status;
  });

  it('that the bus no longer knows stops the command and all it started, says so, and is not released', async () => {
    const timers = createManualTimers();
    const run = holdOpen({ timers, script: { heartbeatLane: () => Promise.reject(notHolder) } });
    await run.hasBegun();
    await timers.advance(20_000);
    await vi.waitFor(async () => {
      await timers.advance(50);
      expect(timers.count()).toBe(0);
    }, 5000);
    expect(await run.status).toBe(143);
    expect(run.errorOutput()).toContain(`lane 'feeds' is lost, stopping the command: ${notHolder.detail}`);
    expect(namesOf(run)).not.toContain('releaseLane');
  });

  it('that is lost stops what a shell has started, too, and kills what will not end', async () => {
    const timers = createManualTimers();
    const file = nextFile();
    const stubborn = `trap '' TERM; echo $$ > ${file}; for _ in ${turns}; do sleep 0.02; done`;
    const run = hold(['feeds', '--lease', '60', '--', 'sh', '-c', 'sh -c "$1"; true', 'sh', stubborn], {
      timers,
      script: { heartbeatLane: () => Promise.reject(notHolder) },
    });
    await vi.waitFor(() => expect(read(file)).toMatch(/^\d+\n$/), 5000);
    const processId = Number(read(file));
    await timers.advance(20_000);
    expect(isRunning(processId)).toBe(true);
    await timers.advance(10_000);
    await vi.waitFor(async () => {
      await timers.advance(500);
      expect(timers.count()).toBe(0);
    }, 5000);
    expect(await run.status).toBeGreaterThan(128);
    expect(isRunning(processId)).toBe(false);
    expect(run.errorOutput()).toContain('still ran 10 s after SIGTERM: killed');
  });

  it('that is lost is a failure, even when the command ends well', async () => {
    const timers = createManualTimers();
    const begun = nextFile();
    const gentle = `trap 'exit 0' TERM; echo begun > ${begun}; for _ in ${turns}; do sleep 0.02; done`;
    const run = hold(['feeds', '--lease', '60', '--', 'sh', '-c', gentle], {
      timers,
      script: { heartbeatLane: () => Promise.reject(notHolder) },
    });
    await vi.waitFor(() => expect(read(begun)).toBe('begun\n'), 5000);
    await timers.advance(20_000);
    await vi.waitFor(async () => {
      await timers.advance(50);
      expect(timers.count()).toBe(0);
    }, 5000);
    expect(await run.status).toBe(1);
  });

  it('outlives a bus that is away for a moment, and says so once', async () => {
    const timers = createManualTimers();
    let attempts = 0;
    const heartbeatLane = (claim: Record<string, unknown>) => {
      attempts += 1;
      if (attempts < 4) throw unreachable;
      return toGrant(claim);
    };
    const run = holdOpen({ timers, script: { heartbeatLane } });
    await run.hasBegun();
    await timers.advance(120_000);
    run.letEnd();
    expect(await run.status).toBe(5);
    expect(run.errorOutput().match(/could not renew/g)).toHaveLength(1);
  });

  it('goes on for as long as a bus on this machine is away, which serves nobody else then either', async () => {
    const timers = createManualTimers();
    const run = holdOpen({ timers, script: { heartbeatLane: () => Promise.reject(unreachable) } });
    await run.hasBegun();
    await timers.advance(600_000);
    run.letEnd();
    expect(await run.status).toBe(5);
    expect(run.errorOutput()).not.toContain('is lost');
  });

  it('is lost when it runs out while a bus elsewhere is away, not earlier', async () => {
    const timers = createManualTimers();
    const run = holdOpen({ timers, script: { heartbeatLane: () => Promise.reject(unreachable) } }, [
      '--base-url',
      'http://127.0.0.1:8100/api/bus,http://bus.example/api/bus',
    ]);
    await run.hasBegun();
    await timers.advance(59_999);
    expect(run.errorOutput()).not.toContain('is lost');
    await timers.advance(1);
    expect(run.errorOutput()).toContain('could not be renewed before the lease ran out');
    await vi.waitFor(async () => {
      await timers.advance(50);
      expect(timers.count()).toBe(0);
    }, 5000);
    expect(await run.status).toBe(143);
  });

  it('passes signals on to the command, and is released after it', async () => {
    const timers = createManualTimers();
    const begun = nextFile();
    const tidy = `trap 'echo tidied >> ${begun}; exit 9' HUP; echo begun > ${begun}; for _ in ${turns}; do sleep 0.02; done`;
    const run = hold(['feeds', '--', 'sh', '-c', tidy], { timers });
    await vi.waitFor(() => expect(read(begun)).toBe('begun\n'), 5000);
    run.signals.emit('SIGHUP');
    expect(await run.status).toBe(9);
    expect(read(begun)).toBe('begun\ntidied\n');
    expect(namesOf(run)).toEqual(['claimLane', 'releaseLane']);
  });

  it('that cannot be given back is told, and the status is still that of the command', async () => {
    const run = hold(['feeds', '--', 'true'], { script: { releaseLane: () => Promise.reject(unreachable) } });
    expect(await run.status).toBe(0);
    expect(run.errorOutput()).toContain("could not release lane 'feeds'");
  });
});
