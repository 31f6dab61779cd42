import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createServerClock } from '../../src/panel/browser/clock.ts';
import { toFolded } from '../../src/panel/browser/folding.ts';
import { createMessageLog } from '../../src/panel/browser/message-log.ts';
import { createModel } from '../../src/panel/browser/model.ts';
import type { BusEvent, LaneEvent, Message, Status } from '../../src/panel/browser/rows.ts';
import { createEventParser } from '../../src/panel/browser/stream.ts';
import { toTimeline, toTimelineText } from '../../src/panel/browser/timeline.ts';
import { toAge, toDuration, toSpan } from '../../src/panel/duration.ts';
import { toBothEnds, toShortName, toVisible, toVisibleLine, toVisibleName } from '../../src/panel/visible.ts';

const noon = Date.UTC(2026, 0, 2, 12);
const at = (minutes: number) => new Date(noon + minutes * 60_000).toISOString();
const minutes = (count: number) => noon + count * 60_000;
const message = (id: number, more: Partial<Message> = {}): Message => ({
  id,
  topic: 'plan',
  sender: 'ada',
  body: `body ${id}`,
  action_flag: false,
  ts: at(id),
  ...more,
});
const laneEvent = (id: number, kind: string, minute: number, more: object = {}): LaneEvent => ({
  id,
  kind,
  ts: at(minute),
  lane: 'feeds',
  owner: 'ada',
  fence: 1,
  ...more,
});

describe('the log that the page keeps', () => {
  test('shows no message below a hole', () => {
    const log = createMessageLog();
    const all = { topic: '', sender: '', words: '' };
    log.add([message(10), message(9)]);
    log.setFloor(all, 9);
    log.add([message(3, { topic: 'rare' }), message(1, { topic: 'rare' })]);
    log.setFloor({ ...all, topic: 'rare' }, 1);
    expect(log.select(all).map(({ id }) => id)).toEqual([10, 9]);
    expect(log.select({ ...all, topic: 'rare' }).map(({ id }) => id)).toEqual([3, 1]);
    expect(log.select({ ...all, topic: 'plan' }).map(({ id }) => id)).toEqual([10, 9]);
  });

  test('a place in the log has its own end, and knows nothing of what is newer', () => {
    const log = createMessageLog();
    const there = { topic: '', sender: '', words: '', until: 5 };
    expect(log.floorOf(there)).toBe(6);
    log.add([message(10), message(5), message(4)]);
    log.setFloor(there, 4);
    expect(log.select(there).map(({ id }) => id)).toEqual([5, 4]);
    expect(log.floorOf({ ...there, until: undefined })).toBe(Number.POSITIVE_INFINITY);
  });

  test('keeps every message once, newest first, whatever comes in which order', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 60 }))), (pages) => {
        const log = createMessageLog();
        for (const page of pages) log.add(page.map((id) => message(id)));
        const ids = [...new Set(pages.flat())].sort((a, b) => b - a);
        expect(log.all().map(({ id }) => id)).toEqual(ids);
        for (const id of ids) expect(log.get(id)?.id).toBe(id);
      }),
    );
  });

  test('forgets the oldest, and says from where it knows all', () => {
    const log = createMessageLog();
    const all = { topic: '', sender: '', words: '' };
    log.add([5, 4, 3, 2, 1].map((id) => message(id)));
    log.setFloor(all, 1);
    expect(log.trim(3)).toBe(true);
    expect(log.floorOf(all)).toBe(3);
    expect(log.select(all).map(({ id }) => id)).toEqual([5, 4, 3]);
  });

  test.each(['(', '[a', 'a-b', '\\', '.*', '$^', '{2', 'a/b', '|'])('searches for %j as it is', (words) => {
    const log = createMessageLog();
    log.add([message(2, { body: `see ${words} here` }), message(1, { body: 'nothing' })]);
    log.setFloor({ topic: '', sender: '', words: '' }, 1);
    expect(log.select({ topic: '', sender: '', words }).map(({ id }) => id)).toEqual([2]);
  });
});

describe('the timeline of a lane', () => {
  const window = { from: minutes(0), to: minutes(60) };

  test('a hold that began before what is known begins where knowledge begins', () => {
    const events = [laneEvent(7, 'lane_released', 30)];
    const { spans } = toTimeline({ events, held: undefined, window: { ...window, knownSince: minutes(20) } });
    expect(spans).toMatchObject([{ owner: 'ada', from: minutes(20), to: minutes(30), isCutOff: true }]);
  });

  test('a steal ends the hold of the one before, also when its claim is not known', () => {
    const events = [laneEvent(7, 'lane_stolen', 30, { owner: 'bob', fence: 2, previous_owner: 'ada' })];
    const held = { ...heldBy('bob', 2, 30), isOrphaned: false };
    expect(toTimeline({ events, held, window })).toMatchObject({
      spans: [
        { owner: 'ada', fence: 1, from: minutes(0), to: minutes(30) },
        { owner: 'bob', fence: 2, from: minutes(30), to: minutes(60) },
      ],
      marks: [{ kind: 'steal', at: minutes(30), owner: 'bob' }],
    });
  });

  test('a hold whose lease ran out ends there, although nobody took the lane until later', () => {
    const events = [
      laneEvent(1, 'lane_claimed', 5),
      laneEvent(2, 'lane_stolen', 30, {
        owner: 'bob',
        fence: 2,
        previous_owner: 'ada',
        previous_expires_at: at(20),
      }),
      laneEvent(3, 'lane_released', 50, {
        owner: 'bob',
        fence: 2,
        previous_expires_at: at(40),
        released_by: 'kay',
      }),
    ];
    const timeline = toTimeline({ events, held: undefined, window });
    expect(timeline.spans).toMatchObject([
      { owner: 'ada', from: minutes(5), lapsedAt: minutes(20), to: minutes(30) },
      { owner: 'bob', from: minutes(30), lapsedAt: minutes(40), to: minutes(50) },
    ]);
    expect(toTimelineText(timeline)).toBe('The last hour: 1 claim, 1 steal, 1 release, 2 leases ran out');
  });

  test('a lane that was handed to a waiter as the lease ended was held all the time', () => {
    const handed = { owner: 'bob', fence: 2, previous_owner: 'ada', previous_expires_at: at(30) };
    const events = [laneEvent(1, 'lane_claimed', 5), laneEvent(2, 'lane_stolen', 30, handed)];
    const { spans } = toTimeline({ events, held: undefined, window });
    expect(spans).toMatchObject([{ owner: 'ada', to: minutes(30), lapsedAt: undefined }]);
  });

  test('an event of an older bus does not tell, but what the page saw itself it knows', () => {
    const stolen = laneEvent(2, 'lane_stolen', 30, { owner: 'bob', fence: 2, previous_owner: 'ada' });
    const orphanedAt = (fence: number) => (fence === 1 ? minutes(20) : undefined);
    const events = [laneEvent(1, 'lane_claimed', 5), stolen];
    expect(toTimeline({ events, held: undefined, window }).spans[0]?.lapsedAt).toBeUndefined();
    expect(toTimeline({ events, held: undefined, window, orphanedAt }).spans[0]?.lapsedAt).toBe(minutes(20));
  });

  test('a lane that changes hands all the time stays a picture that can be drawn', () => {
    const events = Array.from({ length: 7_200 }, (_, index) =>
      laneEvent(index, index % 2 === 0 ? 'lane_claimed' : 'lane_released', index / 120, {
        owner: `owner ${(index >> 1) % 3}`,
        fence: index >> 1,
      }),
    );
    const { spans, marks } = toTimeline({ events, held: undefined, window });
    expect(spans.length).toBeLessThanOrEqual(200);
    expect(marks.length).toBeLessThanOrEqual(120);
  });

  function heldBy(owner: string, fence: number, minute: number) {
    const times = { claimed_at: at(minute), heartbeat_at: at(minute), expires_at: at(minute + 60) };
    return { lane: 'feeds', owner, fence, lease_s: 3_600, expires_in_s: 1_800, ...times };
  }
});

describe('what the page knows of the bus', () => {
  const status = (lastEventId: number, more: Partial<Status> = {}): Status => ({
    active_lanes: [],
    orphaned_claims: [],
    recent_messages: [],
    pending_action_flags: [],
    waiting: [],
    ...more,
    _meta: {
      active_lane_count: more.active_lanes?.length ?? 0,
      orphaned_claim_count: 0,
      pending_action_flag_count: more.pending_action_flags?.length ?? 0,
      message_count: 0,
      last_message_id: 0,
      last_event_id: lastEventId,
      waiter_count: 0,
      max_lease_seconds: 86_400,
      write_secret_armed: false,
      store: 'sqlite',
      version: '1',
      ts: at(0),
      uptime_s: 1,
      arms_nothing: true,
    },
  });
  const posted = (id: number, of: Message): BusEvent => ({
    id,
    kind: 'message_posted',
    ts: at(0),
    message: of,
  });

  test('a status older than events that came does not undo them', () => {
    const model = createModel(createServerClock(() => 0));
    model.restartAt(0);
    model.takeStatus(status(0));
    model.takeEvents([laneEvent(1, 'lane_claimed', 0), posted(2, message(1, { action_flag: true }))]);
    model.takeStatus(status(0));
    expect(model.lanes.all()).toHaveLength(1);
    expect(model.flagCount()).toBe(1);
    model.takeStatus(status(2));
    expect(model.lanes.all()).toHaveLength(0);
    expect(model.flagCount()).toBe(0);
  });

  test('an event older than the status does not undo it', () => {
    const model = createModel(createServerClock(() => 0));
    model.restartAt(0);
    model.takeStatus(status(3));
    model.takeEvents([posted(1, message(1, { action_flag: true })), laneEvent(2, 'lane_claimed', 0)]);
    expect(model.flagCount()).toBe(0);
    expect(model.lanes.all()).toHaveLength(0);
    expect(model.log.count()).toBe(1);
  });

  test('the messages that are kept are counted, whatever number the newest has', () => {
    const model = createModel(createServerClock(() => 0));
    const first = status(10);
    model.restartAt(10);
    model.takeStatus({ ...first, _meta: { ...first._meta, message_count: 3, last_message_id: 40 } });
    model.takeMessages({ messages: [message(40)] });
    expect([model.messageCount(), model.lastMessageId()]).toEqual([3, 40]);
    model.takeEvents([posted(11, message(41)), laneEvent(12, 'lane_claimed', 0), posted(13, message(42))]);
    expect([model.messageCount(), model.lastMessageId()]).toEqual([5, 42]);
    model.takeStatus({ ...first, _meta: { ...status(13)._meta, message_count: 5, last_message_id: 42 } });
    expect([model.messageCount(), model.lastMessageId()]).toEqual([5, 42]);
  });

  test('events that come twice count once', () => {
    const model = createModel(createServerClock(() => 0));
    model.takeStatus(status(0));
    const events = [laneEvent(1, 'lane_claimed', 0), laneEvent(2, 'lane_released', 1)];
    model.takeEvents(events);
    model.takeEvents(events);
    expect(model.lanes.all()).toEqual([]);
    expect(model.activity.of('feeds')).toHaveLength(2);
    expect(model.cursor()).toBe(2);
  });

  test('another log, and one too far ahead, are begun anew', () => {
    const model = createModel(createServerClock(() => 0));
    expect(model.isApart(status(10))).toBe(true);
    model.restartAt(10);
    model.takeStatus(status(10));
    expect(model.isApart(status(11))).toBe(false);
    expect(model.isApart(status(9))).toBe(true);
    expect(model.isApart(status(10_000))).toBe(true);
  });
});

describe('small parts of the page', () => {
  test('events and hints are read however the stream cuts them, and comments are not events', () => {
    const events = [laneEvent(1, 'lane_claimed', 0), laneEvent(2, 'lane_released', 1, { owner: 'ü🚀\n' })];
    const wire = `retry: 1000\nid: 0\n\n: keep-alive\n\n${events
      .map((event) => `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`)
      .join(': keep-alive\n\n: status-changed\n\n')}`;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: wire.length }), { maxLength: 12 }), (cuts) => {
        let hints = 0;
        const parse = createEventParser(() => {
          hints += 1;
        });
        const places = [0, ...cuts.sort((a, b) => a - b), wire.length];
        const read = places.slice(1).flatMap((to, index) => parse(wire.slice(places[index], to)));
        expect(read).toEqual(events);
        expect(hints).toBe(1);
      }),
    );
  });

  test('the clock goes by the bus, and stands still while nothing is known', () => {
    let monotonic = 500;
    const clock = createServerClock(() => monotonic);
    clock.set(at(0));
    monotonic += 1_000;
    expect(clock.now()).toBe(noon + 1_000);
    clock.stop();
    monotonic += 60_000;
    expect(clock.now()).toBe(noon + 1_000);
    clock.set(at(5));
    expect(clock.now()).toBe(minutes(5));
  });

  test('a fold never cuts a character in two', () => {
    expect(toFolded(`${'a'.repeat(599)}🚀${'b'.repeat(500)}`)).toBe('a'.repeat(599));
    expect(toFolded('short')).toBeUndefined();
    expect(toFolded('line\n'.repeat(40))?.split('\n')).toHaveLength(8);
  });

  test('what could hide or turn text is a sign, and the rest stays as it is', () => {
    expect(toVisible('a\u0000b\u007fc\u200bd\ud800e\u{e0041}')).toBe(
      'a⟨U+0000⟩b⟨U+007F⟩c⟨U+200B⟩d⟨U+D800⟩e⟨U+E0041⟩',
    );
    expect(toVisible('tab\tline\r\nnext 👩‍👩‍👧 ümläut')).toBe('tab\tline\nnext 👩‍👩‍👧 ümläut');
    const persian = 'می\u200cخواهم';
    expect(toVisible(`❤\ufe0f 👩🏽\u200d💻 1\ufe0f\u20e3 ${persian}`)).toBe(
      `❤\ufe0f 👩🏽\u200d💻 1\ufe0f\u20e3 ${persian}`,
    );
    expect(toVisible('pay\u200dpal x\ufe0f')).toBe('pay⟨U+200D⟩pal x⟨U+FE0F⟩');
    expect(toVisibleLine(' a \n\n b ', 10)).toBe('a b');
    expect([...toVisibleLine('🚀'.repeat(50), 10)]).toHaveLength(10);
  });

  test.each([
    ...[
      '\ufe0f',
      '\u034f',
      '\u200c',
      '\u200d',
      '\u00a0',
      '\u115f',
      '\u1160',
      '\u3164',
      '\uffa0',
      '\u{e0100}',
    ],
    ...['\u180e', '\u2003', '\u2800', '\u3000', '\n', '\t', '\u00ad', '\u2062', '\u{1d173}', '\u17b4'],
  ])('a name with %j in it cannot be taken for the one without', (sign) => {
    const point = sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    expect(toVisibleName(`a${sign}da`)).toBe(`a⟨U+${point}⟩da`);
  });

  test('a name keeps its spaces, but none is lost where nobody sees it', () => {
    expect(toVisibleName('ada lovelace 🚀 دينا')).toBe('ada lovelace 🚀 دينا');
    expect(toVisibleName(' ada  b ')).toBe('⟨U+0020⟩ada ⟨U+0020⟩b⟨U+0020⟩');
    expect(toShortName('ada\u200b lovelace', 12)).toBe('ada⟨U+200B⟩…');
    expect(toShortName('ada', 3)).toBe('ada');
    expect(toBothEnds('feature-branch-number-12', 11)).toBe('featu…er-12');
    expect(toBothEnds('feature-12', 11)).toBe('feature-12');
  });

  test('lengths and ages are told in the units that matter', () => {
    expect([0, 59, 60, 3_661, 90_000].map(toDuration)).toEqual(['0s', '59s', '1m 00s', '1h 01m', '1d 01h']);
    expect([0, 59, 90, 7_200, 86_400, 200_000].map(toSpan)).toEqual([
      '0s',
      '59s',
      '1 min',
      '2 h',
      '1 day',
      '2 days',
    ]);
    expect([-5, 4, 30, 90, 7_200, 86_400, 200_000].map(toAge)).toEqual([
      'just now',
      'just now',
      '30s ago',
      '1 min ago',
      '2 h ago',
      'yesterday',
      '2 days ago',
    ]);
  });
});
