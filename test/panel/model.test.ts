import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createServerClock } from '../../src/panel/browser/clock.ts';
import { createMessageLog } from '../../src/panel/browser/message-log.ts';
import { createModel } from '../../src/panel/browser/model.ts';
import type { BusEvent, Message, Status } from '../../src/panel/browser/rows.ts';
import { toTimeline, toTimelineText } from '../../src/panel/browser/timeline.ts';
import { at, laneEvent, message, minutes } from './rows.ts';

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
    recent_lanes: [],
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

  test('another log, and one too far ahead, are started over', () => {
    const model = createModel(createServerClock(() => 0));
    expect(model.isApart(status(10))).toBe(true);
    model.restartAt(10);
    model.takeStatus(status(10));
    expect(model.isApart(status(11))).toBe(false);
    expect(model.isApart(status(9))).toBe(true);
    expect(model.isApart(status(10_000))).toBe(true);
  });
});
