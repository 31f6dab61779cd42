import { describe, expect, it } from 'vitest';
import { toEventLine } from '../../src/cli/event-line.ts';
import { printAnswer } from '../../src/cli/print.ts';
import { toClockTime, toDuration } from '../../src/cli/table.ts';
import { toJsonLine, toVisible } from '../../src/cli/visible.ts';
import { operationNames } from '../../src/contract/contract.ts';
import { runToEnd } from './command-line.ts';
import { toGrant, toLane, toMessage } from './rows.ts';

const now = new Date('2026-01-02T03:05:00.000Z');
const clock = toClockTime(toMessage().ts, now);

describe('text from peers', () => {
  it('shows control characters instead of executing them', () => {
    expect(toVisible('\u001b[2J\u0007\r\u007f\u009b1m')).toBe('␛[2J␇␍␡\\u{9b}1m');
  });

  it('shows what reorders or hides text', () => {
    expect(toVisible('a\u202eb\u2066c\u200ed\ufeffe\u{e0041}f\u2028g')).toBe(
      'a\\u{202e}b\\u{2066}c\\u{200e}d\\u{feff}e\\u{e0041}f\\u{2028}g',
    );
  });

  it('keeps what people write', () => {
    expect(toVisible('Grüße 你好 👩‍💻 🏳️‍🌈')).toBe('Grüße 你好 👩‍💻 🏳️‍🌈');
  });

  it('cannot forge a line where one line is meant', () => {
    expect(toVisible('a\n#2 b\tc')).toBe('a␊#2 b␉c');
  });

  it('is the same value in JSON, with nothing that a terminal executes', () => {
    const value = { body: '\u009b1m\u202e\u{e0041}\ud800é\u001b' };
    const line = toJsonLine(value);
    expect(line).toMatch(/^[\x20-\x7eé]+$/);
    expect(JSON.parse(line)).toEqual(value);
  });

  it('is shown in refusals too', async () => {
    const script = { getBusStatus: () => Promise.reject(new Error('by \u001b[31mmallory')) };
    expect((await runToEnd(['status'], { script })).errorOutput).toBe('by ␛[31mmallory\n');
  });
});

describe('messages', () => {
  it('are printed with id, time, topic, sender, flag and body', () => {
    const message = toMessage({ id: 7, body: 'one\r\ntwo\u001b', action_flag: true });
    expect(printAnswer('readMessages', { messages: [message], cursor: 7, has_more: true }, now)).toBe(
      [
        `#7  ${clock}  plans  ada  ⚑ needs a person`,
        '    one',
        '    two␛',
        '(older ones with --before 7, newer ones with --since 7)',
      ].join('\n'),
    );
  });

  it.each([
    ['the newest', {}, true, '(older ones with --before 7, newer ones with --since 9)'],
    ['the newest, which are all', {}, false, '(newer ones with --since 9)'],
    ['those before an id', { before_id: 8 }, true, '(older ones with --before 7)'],
    ['those before an id, which are all', { before_id: 8 }, false, undefined],
    ['those after a cursor', { since_id: 3 }, true, '(read on with --since 9, and there are more)'],
    ['those after a cursor, which are all', { since_id: 3 }, false, '(read on with --since 9)'],
  ])('of a page of %s say how to go on: %j', (_, input, has_more, hint) => {
    const messages = [toMessage({ id: 9 }), toMessage({ id: 7 })];
    const text = printAnswer('readMessages', { messages, cursor: 9, has_more }, now, input);
    expect(text.match(/^\(.*\)$/gm)?.[0]).toBe(hint);
  });

  it.each([
    [{}, 'no messages\n(newer ones with --since 9)'],
    [{ since_id: 9 }, 'no messages\n(read on with --since 9)'],
    [{ before_id: 2 }, 'no messages'],
  ])('of an empty page claim no others: %j', (input, text) => {
    expect(printAnswer('readMessages', { messages: [], cursor: 9, has_more: true }, now, input)).toBe(text);
  });

  it('cannot pose as another one: their lines are indented, and their names have none', () => {
    const message = toMessage({ sender: 'ada\n#9', body: 'x\n#8  forged' });
    const lines = printAnswer('readMessages', { messages: [message] }, now).split('\n');
    expect(lines.filter((line) => line.startsWith('#'))).toHaveLength(1);
  });

  it('of a bus without cursors are printed all the same', () => {
    expect(printAnswer('readMessages', { messages: [] }, now)).toBe('no messages');
  });

  it('say who has taken on a flag', () => {
    const message = toMessage({ action_flag: true, acknowledged_by: 'bob' });
    expect(printAnswer('readMessages', { messages: [message] }, now)).toContain('⚑ acknowledged by bob');
    expect(printAnswer('acknowledgeFlag', message, now)).toBe('acknowledged #1 by bob');
  });
});

describe('lanes', () => {
  it('are a table with owner, remaining time, fence, and what else the bus says', () => {
    const lanes = [toLane({ expires_in_s: 125 }), toLane({ lane: 'x', owner: 'bob', expires_in_s: -5 })];
    expect(printAnswer('listLanes', { lanes, has_more: true }, now)).toBe(
      [
        'LANE   OWNER  EXPIRES IN      FENCE  SINCE     RENEWED   LEASE',
        `feeds  ada    2m05s           3      ${clock}  ${clock}  1m`,
        `x      bob    expired 5s ago  3      ${clock}  ${clock}  1m`,
        '(more with --after x)',
      ].join('\n'),
    );
  });

  it.each([
    ['claim', 'claimed lane feeds as ada (lease 1m, fence 3)'],
    ['steal', 'took over the expired lane feeds as ada (lease 1m, fence 3)'],
    ['renew', 'renewed lane feeds as ada (lease 1m, fence 3)'],
  ])('say what a %s was', (decision, line) => {
    expect(printAnswer('claimLane', { ...toGrant(), decision }, now)).toBe(line);
  });

  it('of a bus without fences are printed all the same', () => {
    const grant = { ...toGrant({ fence: undefined }) };
    expect(printAnswer('claimLane', grant, now)).toBe('claimed lane feeds as ada (lease 1m)');
  });

  it('say whether there was anything to release', () => {
    const answer = { ok: true, lane: 'feeds', fence: 3 };
    expect(printAnswer('releaseLane', { ...answer, decision: 'released' }, now)).toBe('released lane feeds');
    expect(printAnswer('releaseLane', { ...answer, decision: 'free' }, now)).toBe(
      'lane feeds was free already',
    );
  });

  it('are shown one by one with who waits', () => {
    const waiting = [{ lane: 'feeds', owner: 'bob', since: toMessage().ts, place: 1 }];
    const answer = { state: 'held', fence: 3, lane: toLane(), waiting };
    expect(printAnswer('getLane', answer, now).split('\n')).toEqual([
      `lane feeds is held by ada, 1m00s left (fence 3, since ${clock}, renewed ${clock}, lease 1m)`,
      'LANE   PLACE  OWNER  SINCE',
      `feeds  1      bob    ${clock}`,
    ]);
    const free = { state: 'free', fence: 0, lane: { lane: 'feeds' }, waiting: [] };
    expect(printAnswer('getLane', free, now)).toBe('lane feeds is free (fence 0)');
  });
});

describe('an answer that leaves things out', () => {
  it.each(operationNames)('%s: is told to be done when the bus said nothing else', (name) => {
    expect(printAnswer(name, { ok: true }, now)).toBe('done');
    expect(printAnswer(name, {}, now)).toBe('done');
  });

  it.each([
    ['claimLane', { ok: true, decision: 'claim' }, 'claimed'],
    ['claimLane', { decision: 'claim', lane: { lane: 'feeds' } }, 'claimed lane feeds'],
    ['claimLane', { lane: { lane: 'feeds', owner: 'ada' } }, 'granted lane feeds as ada'],
    ['claimLane', { decision: 'lent', lease_s: 60 }, 'lent (lease 1m)'],
    ['heartbeatLane', { ok: true, lease_s: 60 }, 'granted (lease 1m)'],
    ['releaseLane', { ok: true, decision: 'released' }, 'released'],
    ['releaseLane', { ok: true, lane: { lane: 'feeds' } }, 'released lane feeds'],
    ['releaseLane', { decision: 'free' }, 'free already'],
    ['postMessage', { id: 5 }, 'posted #5'],
    ['postMessage', { topic: 'plans' }, 'posted to plans'],
    ['acknowledgeFlag', { acknowledged_by: 'bob' }, 'acknowledged by bob'],
    ['getLane', { state: 'free', lane: { lane: 'feeds' } }, 'lane feeds is free'],
    ['getLane', { lane: { lane: 'feeds', owner: 'ada' } }, 'lane feeds by ada'],
    ['getLane', { state: 'held', lane: { owner: 'ada' } }, 'lane is held by ada'],
    ['readMessages', { messages: [{ body: 'hi' }] }, '    hi'],
    ['readMessages', { messages: [{ id: 4, topic: 'plans', body: 'hi' }] }, '#4  plans\n    hi'],
    ['listLanes', { lanes: [] }, 'no lanes'],
  ] as const)('%s %j is printed without it', (name, answer, text) => {
    expect(printAnswer(name, answer, now)).toBe(text);
  });
});

describe('the status', () => {
  const answer = {
    active_lanes: [toLane()],
    orphaned_claims: [toLane({ lane: 'old', expires_in_s: 0 })],
    waiting: [{ lane: 'feeds', owner: 'bob', since: toMessage().ts, place: 1 }],
    pending_action_flags: [toMessage({ action_flag: true })],
    recent_messages: [toMessage()],
    _meta: {
      version: '1.2.3',
      store: 'sqlite',
      uptime_s: 3700,
      message_count: 12,
      active_lane_count: 600,
      write_secret_armed: true,
    },
  };

  it('has a section for each thing that there is', () => {
    const text = printAnswer('getBusStatus', answer, now);
    expect(text).toContain('bus 1.2.3 · sqlite · up 1h01m · 12 messages · writes need the secret');
    expect(text.match(/^[A-Z].*\(.*\)$/gm)).toEqual([
      'Needs a person (1)',
      'Newest messages (1 of 12)',
      'Waiting (1)',
      'Lanes held (1 of 600)',
      'Left behind: the lease ran out (1)',
    ]);
  });

  it('folds a long section, and names the command that shows the rest', () => {
    const lanes = Array.from({ length: 120 }, (_, index) => toLane({ lane: `lane-${index}` }));
    const lines = printAnswer('getBusStatus', { active_lanes: lanes }, now).split('\n');
    expect(lines).toContain('Lanes held (10 of 120)');
    expect(lines.filter((line) => line.includes('lane-'))).toHaveLength(10);
    expect(lines.at(-1)).toBe('  … 110 more: bus-mcp lanes');
  });

  it('shows every flag, because no other command lists them', () => {
    const flags = Array.from({ length: 30 }, (_, index) => toMessage({ id: index + 1, action_flag: true }));
    const text = printAnswer('getBusStatus', { pending_action_flags: flags }, now);
    expect(text.match(/#\d+ /g)).toHaveLength(30);
  });

  it.each([
    ['many lines', 'one\ntwo\nthree\nfour'],
    ['a long line', 'x'.repeat(1000)],
  ])('folds a body of %s, and names the command that shows it whole', (_, body) => {
    const text = printAnswer('getBusStatus', { recent_messages: [toMessage({ id: 41, body })] }, now);
    expect(text).toContain('… there is more: bus-mcp read --before 42 --limit 1');
    expect(text.length).toBeLessThan(400);
    expect(text).not.toContain('four');
  });

  it('of an empty or an older bus is printed all the same, and claims nothing that was not said', () => {
    expect(printAnswer('getBusStatus', { active_lanes: [] }, now)).toBe('bus\n\nLanes held (0)\n  none');
    expect(printAnswer('getBusStatus', { _meta: { message_count: 2 } }, now)).toBe('bus · 2 messages');
  });
});

describe('events', () => {
  it.each([
    [{ kind: 'message_posted', message: toMessage({ id: 4, body: 'a\nb' }) }, 'posted #4 plans ada: a␊b'],
    [{ kind: 'message_posted', message: toMessage({ action_flag: true }) }, 'posted #1 plans ada ⚑: hello'],
    [
      { kind: 'lane_claimed', lane: 'x', owner: 'a', fence: 2, lease_s: 60 },
      'claimed x by a (fence 2, lease 1m)',
    ],
    [{ kind: 'lane_stolen', lane: 'x', owner: 'a', previous_owner: 'b' }, 'stolen x by a from b'],
    [{ kind: 'lane_released', lane: 'x', owner: 'a' }, 'released x by a'],
    [{ kind: 'lane_released', lane: 'x', owner: 'a', released_by: 'b' }, 'released x of a by b'],
    [
      { kind: 'flag_acknowledged', message: toMessage({ acknowledged_by: 'b' }) },
      'acknowledged #1 plans by b',
    ],
    [{ kind: 'lane_renamed', lane: 'x' }, 'lane_renamed x'],
  ])('%j is one short line', (event, line) => {
    expect(toEventLine({ ts: toMessage().ts, ...event }, now)).toBe(`${clock}  ${line}`);
  });

  it('show as much of a body as fits', () => {
    const message = toMessage({ body: '🙂'.repeat(500) });
    const line = toEventLine({ kind: 'message_posted', message }, now);
    expect([...line].length).toBeLessThan(160);
    expect(line).toMatch(/🙂…$/u);
  });
});

describe('times', () => {
  it.each([
    [0.4, '0s'],
    [59, '59s'],
    [60, '1m00s'],
    [3725, '1h02m'],
    [90_000, '1d01h'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(toDuration(seconds)).toBe(text);
  });

  it('carry the day when it was not today, and the year when it was not this one', () => {
    const today = new Date(2026, 5, 7, 23, 59);
    expect(toClockTime(new Date(2026, 5, 7, 3, 4, 5).toISOString(), today)).toBe('03:04:05');
    expect(toClockTime(new Date(2026, 5, 6, 3, 4, 5).toISOString(), today)).toBe('06-06 03:04:05');
    expect(toClockTime(new Date(2025, 5, 7, 3, 4, 5).toISOString(), today)).toBe('2025-06-07 03:04:05');
    expect(toClockTime(undefined, now)).toBe('--:--:--');
  });
});
