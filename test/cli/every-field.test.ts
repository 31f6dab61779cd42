import { describe, expect, it } from 'vitest';
import { printAnswer } from '../../src/cli/print.ts';
import type { OperationName } from '../../src/contract/contract.ts';
import { contract } from '../../src/contract/contract.ts';
import { eventKinds, eventSchema } from '../../src/contract/events.ts';
import { laneSchema } from '../../src/contract/lanes.ts';
import { messageSchema } from '../../src/contract/messages.ts';

/** The command line prints all that the bus says. What is shown is seen by leaving out one field after the other. */

type Row = Readonly<Record<string, unknown>>;

const now = new Date('2026-01-02T03:05:00.000Z');
const print = (name: OperationName, answer: Row) => printAnswer(name, answer, now);

function toValue(field: string): unknown {
  if (/^ts$|_at$/.test(field)) return '2026-01-02T03:04:05.000Z';
  if (/_flag$/.test(field)) return true;
  return /^(id|fence)$|_s$/.test(field) ? 7 : 'some words';
}

/** Each field of a row in a row by itself, beside the fields that every such row has. */
function oneByOne(shape: object, always: Row) {
  return Object.keys(shape)
    .filter((field) => !(field in always))
    .map((field) => ({ field, without: always, with: { ...always, [field]: toValue(field) } }));
}

describe('every field of a message', () => {
  it.each([
    ['readMessages', 'messages'],
    ['getBusStatus', 'recent_messages'],
    ['getBusStatus', 'pending_action_flags'],
  ] as const)('is printed by %s in %s', (name, list) => {
    for (const row of oneByOne(messageSchema.shape, { id: 1 }))
      expect(print(name, { [list]: [row.with] }), row.field).not.toBe(print(name, { [list]: [row.without] }));
  });
});

describe('every field of a lane', () => {
  it.each([
    ['listLanes', 'lanes'],
    ['getBusStatus', 'active_lanes'],
    ['getBusStatus', 'orphaned_claims'],
  ] as const)('is printed by %s in %s', (name, list) => {
    for (const row of oneByOne(laneSchema.shape, { lane: 'feeds' }))
      expect(print(name, { [list]: [row.with] }), row.field).not.toBe(print(name, { [list]: [row.without] }));
  });

  it('is printed when one lane is asked for', () => {
    // The fence stands beside the lane there, because a lane that nobody holds has one too.
    for (const row of oneByOne(laneSchema.shape, { lane: 'feeds', owner: 'ada', fence: 1 }))
      expect(print('getLane', { state: 'orphaned', lane: row.with }), row.field).not.toBe(
        print('getLane', { state: 'orphaned', lane: row.without }),
      );
  });
});

describe('every field of an event', () => {
  // What its message says is what a message says.
  const { message: _, ...fields } = eventSchema.shape;

  it.each([...eventKinds, 'lane_renamed'])('is printed of the kind %s', (kind) => {
    for (const row of oneByOne(fields, { kind }))
      expect(print('readEvents', { events: [row.with] }), row.field).not.toBe(
        print('readEvents', { events: [row.without] }),
      );
  });
});

describe('every list of the status', () => {
  const { _meta, ...lists } = contract.getBusStatus.output.shape;

  it.each([...Object.keys(lists), 'starred_messages'])('is printed with what is in it: %s', (list) => {
    expect(print('getBusStatus', { [list]: [{ id: 1, lane: 'feeds', body: 'some words' }] })).toMatch(
      /some words/,
    );
  });

  it('says how many there are, of those that a newer bus adds too', () => {
    const answer = { starred_messages: [{ id: 1, body: 'a' }], _meta: { starred_message_count: 9 } };
    expect(print('getBusStatus', answer)).toContain('Starred messages (1 of 9)');
  });
});
