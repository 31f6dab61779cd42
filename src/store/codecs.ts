import { type Cell, createCodec } from './codec.ts';
import { toEventRow, toStoredEvent } from './event-rows.ts';
import type { EventRow } from './rows.ts';
import { type KindName, schema, type TurnKind, turnKinds } from './schema.ts';
import { changedColumnsOf, columnsIn, insertedColumnsOf } from './tables.ts';

/** The codecs of all kinds, given how a store represents flags. */
export function createCodecs(flags: Readonly<{ trueAs: Cell; falseAs: Cell }>) {
  const whole = <Name extends KindName>(kind: Name) =>
    createCodec(schema[kind].fields as (typeof schema)[Name]['fields'], {
      ...flags,
      columns: columnsIn(kind),
    });
  const parts = (kind: TurnKind) => ({
    inserted: createCodec(schema[kind].fields, { ...flags, columns: insertedColumnsOf(kind) }).toValues,
    changed: createCodec(schema[kind].fields, { ...flags, columns: changedColumnsOf(kind) }).toValues,
  });
  const posted = createCodec(schema.messages.fields, {
    ...flags,
    prefix: 'message__',
    columns: insertedColumnsOf('messages'),
  });
  const rows = {
    messages: whole('messages'),
    events: whole('events'),
    lanes: whole('lanes'),
    agents: whole('agents'),
    sessions: whole('sessions'),
    stems: whole('stems'),
    answers: whole('answers'),
    waiters: whole('waiters'),
    counters: whole('counters'),
    holes: whole('holes'),
  };

  return {
    ...rows,
    /** What a commit writes for new rows and for changed rows. */
    written: Object.fromEntries(turnKinds.map((kind) => [kind, parts(kind)])) as {
      readonly [Name in TurnKind]: ReturnType<typeof parts>;
    },
    toEventValues: (event: EventRow) => rows.events.toValues(toStoredEvent(event)),
    /** An event with its message. The message's columns are null when there is no message. */
    fromEventColumns(columns: Readonly<Record<string, unknown>>): EventRow {
      const message = columns.message__id === null ? undefined : posted.fromColumns(columns);
      return toEventRow(rows.events.fromColumns(columns), message);
    },
  };
}
