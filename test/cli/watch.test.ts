import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { BusError, BusUnreachableError, toBusError } from '../../src/contract/errors.ts';
import { type Script, startCommandLine } from './command-line.ts';
import { createManualTimers } from './manual-timers.ts';
import { toMessage } from './rows.ts';

type Feed = Readonly<{ since: number; wait_s: number }>;

const ts = toMessage().ts;
const events = [
  { id: 1, kind: 'message_posted', ts, message: toMessage() },
  { id: 2, kind: 'lane_claimed', ts, lane: 'feeds', owner: 'ada', fence: 1 },
  { id: 3, kind: 'message_posted', ts, message: toMessage({ id: 2, topic: 'other' }) },
  { id: 4, kind: 'lane_claimed', ts, lane: 'x', owner: 'bob', fence: 1 },
  { id: 5, kind: 'flag_acknowledged', ts, message: toMessage({ acknowledged_by: 'bob' }) },
];

/** A feed of the events above, that then is silent until the caller leaves. */
function readEvents({ since, wait_s }: Feed, call?: { signal?: AbortSignal | undefined }): unknown {
  const after = events.filter(({ id }) => id > since).slice(0, 2);
  const page = { events: after, cursor: after.at(-1)?.id ?? since, has_more: false };
  if (after.length > 0 || wait_s === 0) return page;
  return new Promise((_, reject) => {
    call?.signal?.addEventListener('abort', () => reject(new Error('ended')));
  });
}

const script: Script = { readEvents, getBusStatus: () => ({ _meta: { last_event_id: 3 } }) };

/** Lets it run until it has nothing to do but to wait, interrupts it, and answers what it wrote. */
async function watchUntilSilent(argv: readonly string[]) {
  const run = startCommandLine(['watch', ...argv], { script });
  await vi.waitFor(() => expect(run.calls.at(-1)?.input.since).toBe(5));
  run.signals.emit('SIGINT');
  const status = await run.status;
  return { ...run, status, lines: run.output().trimEnd().split('\n') };
}

describe('watch', () => {
  it('starts with what happens from now on, and ends with status 0 when interrupted', async () => {
    const { calls, isClosed, lines, signals, status } = await watchUntilSilent([]);
    expect(status).toBe(0);
    expect(calls[1]).toMatchObject({ name: 'readEvents', input: { since: 3, wait_s: 0 } });
    expect(calls.at(-1)).toMatchObject({ name: 'readEvents', input: { since: 5, wait_s: 60 } });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/ {2}claimed x by bob \(fence 1\)$/);
    expect(isClosed()).toBe(true);
    expect(signals.eventNames()).toEqual([]);
  });

  it('starts where it is told once the bus knows that event, and asks page after page', async () => {
    const { calls, lines } = await watchUntilSilent(['--since', '0']);
    expect(lines).toHaveLength(5);
    expect(calls.map(({ input }) => input.since)).toEqual([0, 0, 2, 4, 5]);
  });

  it.each([
    [
      ['--topic', 'plans'],
      [1, 5],
    ],
    [['--lane', 'feeds'], [2]],
    [
      ['--lane', 'x', '--topic', 'other'],
      [3, 4],
    ],
    [['--topic', 'feeds'], []],
  ])('prints only what %j asks for', async (argv, ids) => {
    const { lines } = await watchUntilSilent(['--since', '0', '--json', ...argv]);
    expect(lines.filter(Boolean).map((line) => JSON.parse(line).id)).toEqual(ids);
  });

  it('prints each event whole for programs', async () => {
    const { lines } = await watchUntilSilent(['--since', '0', '--json']);
    expect(lines.map((line) => JSON.parse(line))).toEqual(events);
  });

  it.each(['-1', 'x', '1.5', ''])('refuses --since=%s', async (since) => {
    const run = startCommandLine(['watch', `--since=${since}`], { script });
    expect(await run.status).toBe(2);
    expect(run.errorOutput()).toContain('--since must be an event id');
  });

  it.each(['bad lane!', '', '../x'])(
    'refuses the lane %j, which nothing will ever happen to',
    async (lane) => {
      const run = startCommandLine(['watch', '--lane', lane], { script });
      expect(await run.status).toBe(2);
      expect(run.errorOutput()).toContain('--lane must be letters');
      expect(run.calls).toEqual([]);
    },
  );

  it('refuses a topic that no message can have', async () => {
    const run = startCommandLine(['watch', '--topic', 'x'.repeat(201)], { script });
    expect(await run.status).toBe(2);
    expect(run.errorOutput()).toContain('--topic must have at most 200 characters');
  });

  it.each([[[]], [['--since', '0']]])(
    'tells at once that no bus answers at the start: %j',
    async (argv: readonly string[]) => {
      const gone = () => Promise.reject(new BusUnreachableError('no bus answered', 'http://x'));
      const run = startCommandLine(['watch', ...argv], { script: { getBusStatus: gone, readEvents: gone } });
      expect(await run.status).toBe(3);
    },
  );

  it('does not wait for a bus that refuses', async () => {
    const refuse = () => Promise.reject(toBusError('not_found', 'there is no such route', {}));
    const run = startCommandLine(['watch', '--since', '0'], { script: { readEvents: refuse } });
    expect(await run.status).toBe(1);
    expect(run.errorOutput()).toBe('there is no such route\n');
  });

  it('goes on by itself after the bus was away, says so once, and skips nothing', async () => {
    const timers = createManualTimers();
    const askedAt: number[] = [];
    let failures = 4;
    const flaky: Script = {
      ...script,
      readEvents: (input: Feed, call) => {
        if (input.since < 2 || failures === 0) return readEvents(input, call);
        failures -= 1;
        askedAt.push(timers.now());
        if (failures > 0) throw new BusUnreachableError('no bus answered', 'http://x');
        throw new BusError({ status: 503, detail: 'not now' });
      },
    };
    const run = startCommandLine(['watch', '--since', '0'], { script: flaky, timers });
    await timers.advance(60_000);
    run.signals.emit('SIGTERM');
    expect(await run.status).toBe(0);
    expect(run.output().trimEnd().split('\n')).toHaveLength(5);
    expect(run.errorOutput()).toBe('no bus answered (trying again until it is back)\nthe bus is back\n');
    const pauses = askedAt.slice(1).map((at, index) => at - (askedAt[index] ?? 0));
    expect(pauses).toEqual([500, 1000, 2000]);
  });

  it('takes a break between questions to a bus that does not know how to wait', async () => {
    const timers = createManualTimers();
    const hurried = ({ since }: Feed) => ({ events: [], cursor: since, has_more: false });
    const run = startCommandLine(['watch', '--since', '9'], { script: { readEvents: hurried }, timers });
    await timers.advance(10_000);
    expect(run.calls.length).toBeGreaterThan(5);
    expect(run.calls.length).toBeLessThan(15);
    run.signals.emit('SIGINT');
    expect(await run.status).toBe(0);
  });

  it('refuses an event that the bus has never given, and names the last one', async () => {
    const young: Script = {
      ...script,
      readEvents: ({ since }: Feed) => ({ events: [], cursor: since > 3 ? 0 : since, has_more: false }),
    };
    const run = startCommandLine(['watch', '--since', '99999'], { script: young });
    expect(await run.status).toBe(2);
    expect(run.output()).toBe('');
    expect(run.errorOutput()).toContain(
      'there is no event 99999 on this bus, whose last event is 3: leave out',
    );
  });

  it('starts from the beginning, and says so, when the bus comes back with another log', async () => {
    let isReplaced = false;
    const replaced: Script = {
      ...script,
      readEvents: (input: Feed, call) => {
        if (input.since === 99_999 && isReplaced) return { events: [], cursor: 0, has_more: true };
        if (input.since < 99_999) return readEvents(input, call);
        isReplaced = true;
        return { events: [], cursor: input.since, has_more: false };
      },
    };
    const run = startCommandLine(['watch', '--since', '99999'], { script: replaced });
    await vi.waitFor(() => expect(run.calls.at(-1)?.input.since).toBe(5));
    run.signals.emit('SIGINT');
    expect(await run.status).toBe(0);
    expect(run.output().trimEnd().split('\n')).toHaveLength(5);
    expect(run.errorOutput()).toBe(
      'there is no event 99999 on this bus, whose log is another one: going on from its beginning\n',
    );
  });

  it('ends with status 0 when nobody reads its output any longer', async () => {
    const output = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    const run = startCommandLine(['watch', '--since', '0'], { script, output });
    expect(await run.status).toBe(0);
    expect(run.errorOutput()).toBe('');
  });
});
