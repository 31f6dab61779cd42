import { z } from 'zod';
import { agentSchema } from './agents.ts';
import { timestamp } from './fields.ts';
import { laneSchema, recentLaneSchema, waiterSchema } from './lanes.ts';
import { messageSchema } from './messages.ts';
import type { Operation } from './operation.ts';

export const getBusStatus = {
  title: 'Look at the bus',
  summary: 'Look at the whole bus: who holds what, who waits, what was left behind, what needs a person',
  guidance:
    'Call it once at the start, and when you wonder who works on what. An orphaned claim is a lane whose lease ran out without a release: claim it to take it over, or release it. Flagged messages wait for a person, not for you. To follow messages, use read_messages with wait_s.',
  method: 'GET',
  path: '/status',
  effect: 'read',
  input: z.strictObject({}),
  output: z.looseObject({
    active_lanes: z.array(laneSchema),
    orphaned_claims: z.array(laneSchema),
    recent_messages: z.array(messageSchema),
    pending_action_flags: z.array(messageSchema),
    /** The ones that were heard last come first. An older bus knows of none. */
    agents: z.array(agentSchema).optional(),
    waiting: z.array(waiterSchema),
    recent_lanes: z.array(recentLaneSchema),
    _meta: z.looseObject({
      active_lane_count: z.number(),
      orphaned_claim_count: z.number(),
      pending_action_flag_count: z.number(),
      message_count: z.number(),
      last_message_id: z.number(),
      last_event_id: z.number(),
      waiter_count: z.number(),
      max_lease_seconds: z.number(),
      write_secret_armed: z.boolean(),
      store: z.string(),
      version: z.string(),
      ts: timestamp,
      uptime_s: z.number(),
      arms_nothing: z.literal(true),
    }),
  }),
  errors: [],
  doors: ['mcp', 'cli'],
  positionalFields: [],
  command: { name: 'status', alsoTried: ['look', 'info', 'overview', 'ps', 'summary', 'flags'] },
} as const satisfies Operation;
