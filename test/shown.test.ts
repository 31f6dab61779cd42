import { describe, expect, test } from 'vitest';
import { eventTexts } from '../src/cli/event-line.ts';
import { contract } from '../src/contract/contract.ts';
import { eventKinds } from '../src/contract/events.ts';
import { toSnakeCase } from '../src/contract/names.ts';
import { createServerClock } from '../src/panel/browser/clock.ts';
import { eventEffects, messageLists } from '../src/panel/browser/followed.ts';
import { createMessageLists } from '../src/panel/browser/message-lists.ts';
import { createModel } from '../src/panel/browser/model.ts';
import type { Message, Status } from '../src/panel/browser/rows.ts';
import { columnsOf } from '../src/store/codec.ts';
import { lists, schema } from '../src/store/schema.ts';
import { createShow } from '../src/store/shown.ts';
import { toMatch } from '../src/store/tables.ts';
import { message } from './panel/rows.ts';

/** What is declared in one place is shown in others. Whoever adds a kind or a list and forgets one of them is told here. */

describe('every kind of event', () => {
  test('has a line at the command line, and no line is for a kind that is gone', () => {
    expect(Object.keys(eventTexts).sort()).toEqual([...eventKinds].sort());
  });

  test('has an effect on the page, and no effect is for a kind that is gone', () => {
    expect(Object.keys(eventEffects).sort()).toEqual([...eventKinds].sort());
  });
});

test('every list of the status, and its count, stands in the contract as the schema declares it', () => {
  const { shape } = contract.getBusStatus.output;
  for (const [name, list] of Object.entries(lists)) {
    expect(Object.keys(shape)).toContain(toSnakeCase(name));
    if ('counter' in list) expect(Object.keys(shape._meta.shape)).toContain(toSnakeCase(list.counter));
  }
});

describe('the lists of messages that the page follows', () => {
  const conditional = Object.entries(lists).filter(
    ([, { of, where }]) => of === 'messages' && Object.keys(where).length > 0,
  );

  test('are those of the status that have a condition, each with its count', () => {
    const declared = conditional.map(([name, list]) => [
      toSnakeCase(name),
      'counter' in list ? toSnakeCase(list.counter) : undefined,
    ]);
    const followed = Object.entries(messageLists).map(([name, { count }]) => [name, count]);
    expect(followed.sort()).toEqual(declared.sort());
  });

  test.each(conditional)('have for %s the condition that the store has', (name, { where }) => {
    const isListed = toMatch('messages', where);
    const list = toSnakeCase(name) as keyof typeof messageLists;
    for (const row of everyState()) {
      const shown = createShow('messages')(row as never) as Message;
      expect({ shown, isListed: messageLists[list].isListed(shown) }).toEqual({
        shown,
        isListed: isListed(row),
      });
    }
  });

  test('take a message that something happened to as it is now, whatever the kind of the event', () => {
    const model = createModel(createServerClock());
    model.takeStatus(toStatus());
    const acknowledged = message(1, {
      action_flag: true,
      acknowledged_by: 'grace',
      acknowledged_at: message(1).ts,
    });
    for (const kind of eventKinds)
      model.takeEvents([
        { id: eventKinds.indexOf(kind) + 1, kind, ts: acknowledged.ts, message: acknowledged },
      ]);
    expect(model.flags()).toEqual([]);
  });

  test('count what the status had no room for', () => {
    const followed = createMessageLists();
    const pending_action_flags = [message(2, { action_flag: true })];
    followed.takeStatus(toStatus({ pending_action_flags }, { pending_action_flag_count: 7 }));
    followed.take(message(3, { action_flag: true }));
    expect(followed.all('pending_action_flags').map(({ id }) => id)).toEqual([3, 2]);
    expect(followed.count('pending_action_flags')).toBe(8);
  });
});

/** A message in every state that its flags and what is set later can make. */
function everyState(): readonly object[] {
  let rows: readonly object[] = [{ id: 1, topic: 't', sender: 's', body: 'b', ts: 1 }];
  for (const { path, column } of columnsOf(schema.messages.fields)) {
    if (!column.isLater && column.type !== 'flag') continue;
    const set = { flag: true, time: 5 }[column.type as string] ?? 'grace';
    const states = column.isLater ? [{}, { [path[0]]: set }] : [{ [path[0]]: true }, { [path[0]]: false }];
    rows = rows.flatMap((row) => states.map((state) => ({ ...row, ...state })));
  }
  return rows;
}

function toStatus(more: object = {}, counts: object = {}): Status {
  const empty = Object.keys(messageLists).map((name) => [name, []]);
  return {
    active_lanes: [],
    orphaned_claims: [],
    waiting: [],
    ...Object.fromEntries(empty),
    ...more,
    _meta: { last_message_id: 0, last_event_id: 0, ts: message(1).ts, ...counts },
  } as unknown as Status;
}
