import { z } from 'zod';
import { cursorId, pageLimit, timestamp, waitSeconds } from './fields.ts';
import { messageSchema } from './messages.ts';
import type { Operation } from './operation.ts';

export const eventKinds = [
  'message_posted',
  'lane_claimed',
  'lane_stolen',
  'lane_released',
  'lane_changed',
  'flag_acknowledged',
  'agent_joined',
  'agent_left',
] as const;
export type EventKind = (typeof eventKinds)[number];

/** Whether somebody got a lane with it. */
export function isGrant(kind: string): boolean {
  return kind === 'lane_claimed' || kind === 'lane_stolen';
}

/**
 * `message_posted` and `flag_acknowledged` carry `message`; the lane events carry `lane`, `owner` and `fence`, the
 * agent events `agent`. A steal,
 * and the release of an orphaned claim, say in `previous_expires_at` when the old lease ran out.
 */
export const eventSchema = z.looseObject({
  id: z.number(),
  kind: z.string(),
  ts: timestamp,
  message: messageSchema.optional(),
  lane: z.string().optional(),
  owner: z.string().optional(),
  fence: z.number().optional(),
  lease_s: z.number().optional(),
  expires_at: timestamp.optional(),
  previous_owner: z.string().optional(),
  previous_expires_at: timestamp.optional(),
  released_by: z.string().optional(),
  agent: z.string().optional(),
  client: z.string().optional(),
  place: z.string().optional(),
  note: z.string().optional(),
  paths: z.array(z.string()).optional(),
});

export const readEvents = {
  title: 'Read the change feed',
  summary: 'Read what happened after a cursor: posts, claims, steals, releases, acknowledgements',
  guidance:
    'Events come oldest first. Go on after the cursor of the answer. Over HTTP, a request with Accept: text/event-stream gets a live stream, which resumes from Last-Event-ID.',
  method: 'GET',
  path: '/events',
  effect: 'read',
  input: z.strictObject({
    since: cursorId.default(0).describe('Only ids after this cursor; 0: everything that is kept'),
    limit: pageLimit.describe('At most this many events'),
    wait_s: waitSeconds.describe('How long to wait for an event, in seconds'),
  }),
  output: z.looseObject({ events: z.array(eventSchema), cursor: z.number(), has_more: z.boolean() }),
  errors: ['cursor_expired', 'too_many'],
  doors: ['cli'],
  positionalFields: [],
  command: { name: 'events', alsoTried: ['feed', 'changes'] },
} as const satisfies Operation;
