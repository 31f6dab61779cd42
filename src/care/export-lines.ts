import { z } from 'zod';
import type { Output } from '../contract/contract.ts';
import { eventKinds } from '../contract/events.ts';
import type { ColumnType } from '../store/columns.ts';
import { laterFields } from '../store/event-rows.ts';
import type { HeldLaneRow, MessageRow, StoredEvent } from '../store/rows.ts';
import type { KindName } from '../store/schema.ts';
import { createUnshow, shownFieldsOf } from '../store/shown.ts';

/**
 * The lines of an export, both as they are written and as they are accepted back. A row becomes a line with all of
 * its public fields.
 */

export const formatVersion = 1;

const count = z.int().min(0);

const headingLine = z.object({
  type: z.literal('export'),
  format: z.int(),
  last_message_id: count,
  last_event_id: count,
  topic: z.string().optional(),
});
const endLine = z.object({ type: z.literal('end'), messages: count, events: count, lanes: count });

/** A line with the row that it holds. */
export type ExportLine =
  | z.output<typeof headingLine>
  | z.output<typeof endLine>
  | Readonly<{ type: 'message'; row: MessageRow }>
  | Readonly<{ type: 'event'; row: StoredEvent }>
  | Readonly<{ type: 'lane'; row: HeldLaneRow }>;

/** The line, or the field that is missing or wrong. Fields that a newer version adds are ignored. */
export function parseLine(value: unknown): ExportLine | Readonly<{ fault: string }> {
  const parsed = exportLine.safeParse(value);
  if (!parsed.success) return { fault: parsed.error.issues[0]?.path.join('.') || 'type' };
  const line = parsed.data as z.output<typeof headingLine>;
  return line.type in toRow ? toLine(line) : line;
}

const toRow = {
  message: createUnshow('messages'),
  event: createUnshow('events'),
  lane: createUnshow('lanes'),
} as const;

function toLine(line: Readonly<{ type: string }>): ExportLine {
  const type = line.type as keyof typeof toRow;
  return { type, row: toRow[type](line) } as ExportLine;
}

/** What a field may contain in a line, by column type. */
const types: Readonly<Record<ColumnType, z.ZodType>> = {
  integer: count,
  time: z.iso.datetime(),
  text: z.string().min(1),
  name: z.string().min(1),
  flag: z.boolean(),
  json: z.json(),
};

const exportLine = z.discriminatedUnion('type', [
  headingLine,
  toRowLine('lane', 'lanes'),
  toRowLine('message', 'messages'),
  toRowLine('event', 'events').extend({ kind: z.enum(eventKinds) }),
  endLine,
]);

function toRowLine<Type extends string>(type: Type, kind: KindName) {
  const fields = shownFieldsOf(kind).map(({ name, column, path }) => {
    // A lane that was held once only has no hold before it.
    const isOptional = column.isOptional || path[0] === 'previous';
    const field = name === 'id' ? types[column.type].refine((id) => id !== 0) : types[column.type];
    return [name, isOptional ? field.optional() : field] as const;
  });
  return z.object({ type: z.literal(type), ...(Object.fromEntries(fields) as Record<string, z.ZodType>) });
}

export function toMessageLine(message: Output<'readMessages'>['messages'][number]): object {
  return { type: 'message', ...message };
}

/** The message of an event has its own line. Only the fields that were set later are stored with the event. */
export function toEventLine(event: Output<'readEvents'>['events'][number]): object {
  const { message, ...rest } = event;
  if (!message) return { type: 'event', ...rest };
  const then = Object.entries(message).filter(([name]) => laterNames.has(name));
  return { type: 'event', ...rest, message_id: message.id, ...Object.fromEntries(then) };
}

const laterNames = new Set(
  shownFieldsOf('messages')
    .filter(({ path }) => (laterFields as readonly string[]).includes(path[0]))
    .map(({ name }) => name),
);

/** The remaining lease time is true for a moment only, so leave it out. */
export function toLaneLine({
  expires_in_s: _left,
  previous,
  ...lane
}: Output<'listLanes'>['lanes'][number]): object {
  if (!previous) return { type: 'lane', ...lane };
  const { owner, note, ...ended } = previous;
  return {
    type: 'lane',
    ...lane,
    previous_owner: owner,
    ...ended,
    ...(note !== undefined && { previous_note: note }),
  };
}
