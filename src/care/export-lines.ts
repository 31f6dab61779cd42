import { z } from 'zod';
import type { Output } from '../contract/contract.ts';
import { eventKinds } from '../contract/events.ts';
import { rowId } from '../contract/fields.ts';

/** The lines of an export: what is written, and what is accepted back. */

export const formatVersion = 1;

const time = z.iso.datetime();
const count = z.int().min(0);

const messageLine = z.object({
  type: z.literal('message'),
  id: rowId,
  topic: z.string().min(1),
  sender: z.string().min(1),
  body: z.string().min(1),
  action_flag: z.boolean(),
  ts: time,
  acknowledged_by: z.string().min(1).optional(),
  acknowledged_at: time.optional(),
});

const eventLine = z.object({
  type: z.literal('event'),
  id: rowId,
  kind: z.enum(eventKinds),
  ts: time,
  message_id: rowId.optional(),
  lane: z.string().min(1).optional(),
  owner: z.string().min(1).optional(),
  fence: count.optional(),
  lease_s: z.number().optional(),
  expires_at: time.optional(),
  previous_owner: z.string().optional(),
  previous_expires_at: time.optional(),
  released_by: z.string().optional(),
});

const laneLine = z.object({
  type: z.literal('lane'),
  lane: z.string().min(1),
  owner: z.string().min(1),
  claimed_at: time,
  heartbeat_at: time,
  expires_at: time,
  lease_s: z.number(),
  fence: count,
});

const headingLine = z.object({
  type: z.literal('export'),
  format: z.int(),
  last_message_id: count,
  last_event_id: count,
  topic: z.string().optional(),
});

const endLine = z.object({ type: z.literal('end'), messages: count, events: count, lanes: count });

/** One line of an export. A field that a newer version adds is left aside. */
export const exportLine = z.discriminatedUnion('type', [
  headingLine,
  laneLine,
  messageLine,
  eventLine,
  endLine,
]);

export type ExportLine = z.output<typeof exportLine>;
export type MessageLine = z.output<typeof messageLine>;
export type EventLine = z.output<typeof eventLine>;
export type LaneLine = z.output<typeof laneLine>;

export function toMessageLine(message: Output<'readMessages'>['messages'][number]): object {
  return { type: 'message', ...message };
}

/** The message of an event has a line of its own. */
export function toEventLine(event: Output<'readEvents'>['events'][number]): object {
  const { message, ...rest } = event;
  return { type: 'event', ...rest, ...(message && { message_id: message.id }) };
}

/** How long a lease has left is only true for a moment. */
export function toLaneLine({ expires_in_s: _left, ...lane }: Output<'listLanes'>['lanes'][number]): object {
  return { type: 'lane', ...lane };
}
