import { expect } from 'vitest';
import { limits } from '../../../src/contract/limits.ts';
import { refusalOf } from '../ask.ts';
import { type Rule, rule } from '../rule.ts';

const message = { topic: 'build', sender: 'ada', body: 'green' };
const again = { idempotencyKey: 'post-1' };

/** Writes that are safe to repeat, because they carry an idempotency key. */
export const repeats: readonly Rule[] = [
  rule(
    'answers a repeated post as the first time, and keeps one',
    { uses: ['postMessage', 'idempotencyKey'] },
    async ({ bus, engine, clock }) => {
      const first = await bus.postMessage(message, again);
      clock.advance(60);
      await engine.postMessage(message);
      expect(await bus.postMessage(message, again)).toEqual(first);
      expect((await engine.getBusStatus({}))._meta).toMatchObject({ message_count: 2, last_event_id: 2 });
    },
  ),

  rule(
    'keeps one of many repeats that come at once',
    { uses: ['postMessage', 'idempotencyKey'] },
    async ({ bus, engine }) => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => bus.postMessage(message, again)));
      expect(answers).toEqual(Array(4).fill(answers[0]));
      expect((await engine.getBusStatus({}))._meta).toMatchObject({ message_count: 1, last_event_id: 1 });
    },
  ),

  rule(
    'answers repeated claims, heartbeats and releases as the first time, whatever happened since',
    { uses: ['claimLane', 'heartbeatLane', 'releaseLane', 'idempotencyKey'] },
    async ({ bus, engine, clock }) => {
      const held = { lane: 'feeds', owner: 'ada', lease_s: 10 };
      const claim = await bus.claimLane(held, { idempotencyKey: 'claim' });
      clock.advance(5);
      const heartbeat = await bus.heartbeatLane(held, { idempotencyKey: 'heartbeat' });
      const release = await bus.releaseLane({ lane: 'feeds', owner: 'ada' }, { idempotencyKey: 'release' });
      await engine.claimLane({ lane: 'feeds', owner: 'bob' });
      expect(await bus.claimLane(held, { idempotencyKey: 'claim' })).toEqual(claim);
      expect(await bus.heartbeatLane(held, { idempotencyKey: 'heartbeat' })).toEqual(heartbeat);
      expect(await bus.releaseLane({ lane: 'feeds', owner: 'ada' }, { idempotencyKey: 'release' })).toEqual(
        release,
      );
      expect(await engine.getLane({ lane: 'feeds' })).toMatchObject({
        state: 'held',
        fence: 2,
        lane: { owner: 'bob' },
      });
    },
  ),

  rule(
    'answers a repeated acknowledgement as the first time',
    { uses: ['acknowledgeFlag', 'idempotencyKey'] },
    async ({ bus, engine }) => {
      await engine.postMessage({ ...message, action_flag: true });
      const first = await bus.acknowledgeFlag({ id: 1, by: 'grace' }, { idempotencyKey: 'ack' });
      expect(await bus.acknowledgeFlag({ id: 1, by: 'grace' }, { idempotencyKey: 'ack' })).toEqual(first);
    },
  ),

  rule(
    'refuses a key that was used for another request',
    { uses: ['postMessage', 'claimLane', 'idempotencyKey'], refusals: ['idempotency_conflict'] },
    async ({ bus, kept }) => {
      await bus.postMessage(message, again);
      const before = await kept();
      const others = [
        bus.postMessage({ ...message, body: 'red' }, again),
        bus.claimLane({ lane: 'feeds', owner: 'ada' }, again),
      ];
      for (const { status, code, detail, data } of await Promise.all(others.map(refusalOf))) {
        expect([status, code, data]).toEqual([422, 'idempotency_conflict', { key: 'post-1' }]);
        expect(detail).toContain('post-1');
      }
      expect(await kept()).toEqual(before);
    },
  ),

  rule(
    'remembers no refusal: the same key may be granted later',
    { uses: ['claimLane', 'idempotencyKey'], refusals: ['lane_held'] },
    async ({ bus, engine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'other' });
      const claim = () => bus.claimLane({ lane: 'feeds', owner: 'ada' }, { idempotencyKey: 'claim' });
      expect((await refusalOf(claim())).code).toBe('lane_held');
      await engine.releaseLane({ lane: 'feeds', owner: 'other' });
      expect((await claim()).decision).toBe('claim');
    },
  ),

  rule(
    'remembers the first answer when it is reopened',
    { uses: ['postMessage', 'idempotencyKey'] },
    async ({ bus, engine, restart }) => {
      const first = await bus.postMessage(message, again);
      await restart();
      expect(await bus.postMessage(message, again)).toEqual(first);
      expect((await engine.getBusStatus({}))._meta.message_count).toBe(1);
    },
  ),

  rule(
    'forgets a key after 24 hours, and not before',
    { uses: ['postMessage', 'idempotencyKey'] },
    async ({ bus, clock }) => {
      await bus.postMessage(message, again);
      clock.advance(limits.idempotencyKeyKeptHours * 3600 - 0.001);
      expect((await bus.postMessage(message, again)).id).toBe(1);
      clock.advance(0.001);
      expect((await bus.postMessage({ ...message, body: 'red' }, again)).id).toBe(2);
    },
  ),

  rule(
    'answers a repeated claim that had waited with its grant',
    { uses: ['claimLane', 'idempotencyKey'] },
    async ({ bus, engine, untilInLine }) => {
      await engine.claimLane({ lane: 'feeds', owner: 'other' });
      const claim = (wait_s: number) =>
        bus.claimLane({ lane: 'feeds', owner: 'ada', wait_s }, { idempotencyKey: 'claim' });
      const waited = claim(60);
      await untilInLine('feeds', ['ada']);
      await engine.releaseLane({ lane: 'feeds', owner: 'other' });
      const granted = await waited;
      // How long the caller would wait is not part of what it asks for.
      expect(await claim(0)).toEqual(granted);
    },
  ),

  rule(
    'takes a key of 200 visible characters, and no other',
    { uses: ['postMessage', 'idempotencyKey'], refusals: ['invalid_input'] },
    async ({ bus, kept }) => {
      const longest = `~!"'=&%\\${'k'.repeat(limits.idempotencyKeyCharactersMax - 8)}`;
      expect((await bus.postMessage(message, { idempotencyKey: longest })).id).toBe(1);
      const before = await kept();
      for (const idempotencyKey of ['', `${longest}k`, 'a blank', 'käy']) {
        const { status, detail } = await refusalOf(bus.postMessage(message, { idempotencyKey }));
        expect(status).toBe(422);
        expect(detail).toMatch(/idempotency-key must be 1 to 200 visible/i);
      }
      expect(await kept()).toEqual(before);
    },
  ),
];
