import { z } from 'zod';
import {
  agentId,
  fenceNumber,
  laneName,
  leaseSeconds,
  noteText,
  pageLimit,
  scopePath,
  scopePaths,
  timestamp,
  waitSeconds,
} from './fields.ts';
import type { Operation } from './operation.ts';

/** How the hold before ended. */
const previousSchema = z.looseObject({
  owner: z.string(),
  ended_at: timestamp,
  how: z.enum(['released', 'expired']),
  note: z.string().optional(),
});

/** A lane that somebody holds, or held until the lease expired. */
export const laneSchema = z.looseObject({
  lane: z.string(),
  owner: z.string(),
  claimed_at: timestamp,
  heartbeat_at: timestamp,
  expires_at: timestamp,
  lease_s: z.number(),
  expires_in_s: z.number(),
  fence: z.number(),
  note: z.string().optional(),
  paths: z.array(z.string()).optional(),
  previous: previousSchema.optional(),
});

/** A lane that nobody holds, and how its last hold ended. */
export const recentLaneSchema = previousSchema.extend({ lane: z.string() });

/** A caller that waits for the lane; `place` counts from 1. */
export const waiterSchema = z.looseObject({
  lane: z.string(),
  owner: z.string(),
  since: timestamp,
  place: z.number(),
  note: z.string().optional(),
  paths: z.array(z.string()).optional(),
  /** The lanes whose holders, or earlier waiters, it waits for. */
  blocked_by: z.array(z.string()).optional(),
});

const granted = z.looseObject({
  ok: z.literal(true),
  decision: z.string(),
  lane: laneSchema,
  lease_s: z.number(),
  previous: previousSchema.optional(),
});

const lane = laneName.describe('The name of the unit of work');
const owner = agentId.describe('Your agent id');
const lease_s = leaseSeconds.describe('How long the lease lasts, in seconds');
const fence = fenceNumber.optional().describe('Refuse unless the lane still has this fence');

export const claimLane = {
  title: 'Claim a lane',
  summary: 'Claim a lane: a named unit of work that one owner holds at a time under a lease',
  guidance:
    'Claim before you touch what another agent might touch too: a file, a feature, a deploy. A lane that you hold is renewed; one whose lease has expired is yours at once. Name the files in paths: then nobody else can hold one of them. If another owner holds it or a path, do NOT do the work: wait with wait_s (45 is good, at most 300), claim other work, or ask the owner with post_message. Pass the fence of the answer to post_message, heartbeat_lane and release_lane. Release the lane when you are done.',
  method: 'POST',
  path: '/lanes/{lane}/claim',
  effect: 'idempotent',
  input: z.strictObject({
    lane,
    owner,
    lease_s,
    wait_s: waitSeconds.describe('How long to wait until the lane is free, in seconds'),
    note: noteText.optional().describe('What you are doing, for those who are refused'),
    paths: scopePaths
      .optional()
      .describe('The files that the lane covers: * is any part of a name, ** any folders'),
  }),
  output: granted,
  errors: ['lane_held', 'paths_held', 'too_many'],
  doors: ['mcp', 'cli'],
  agentField: 'owner',
  positionalFields: ['lane'],
  command: { name: 'claim', alsoTried: ['lock', 'acquire', 'take', 'grab', 'steal'] },
} as const satisfies Operation;

export const releaseLane = {
  title: 'Release a lane',
  summary: 'Release a lane, so that others need not wait until the lease runs out',
  guidance:
    'Release as soon as the work is done or given up, with a note of what came of it. Releasing a free lane is no error, and anyone may release a lane whose lease has expired. If the bus refuses, another owner has it now: leave it alone.',
  method: 'POST',
  path: '/lanes/{lane}/release',
  effect: 'idempotent',
  input: z.strictObject({
    lane,
    owner,
    fence,
    note: noteText.optional().describe('What came of it, for whoever has the lane next'),
  }),
  output: z.looseObject({
    ok: z.literal(true),
    decision: z.string(),
    lane: z.string(),
    owner: z.string().optional(),
    fence: z.number(),
  }),
  errors: ['not_holder', 'stale_fence'],
  doors: ['mcp', 'cli'],
  agentField: 'owner',
  positionalFields: ['lane'],
  command: { name: 'release', alsoTried: ['unlock', 'free', 'give-back', 'done'] },
} as const satisfies Operation;

export const heartbeatLane = {
  title: 'Renew a lease',
  summary: 'Renew the lease of a lane that you hold',
  guidance:
    'During long work, renew after about a third of the lease. Without lease_s the lease lasts 300 s from now, whatever it was: repeat the lease_s of your claim. If the bus refuses, the lease ran out or another owner has the lane: stop, claim it again, and look at what changed.',
  method: 'POST',
  path: '/lanes/{lane}/heartbeat',
  effect: 'idempotent',
  input: z.strictObject({ lane, owner, lease_s, fence }),
  output: granted,
  errors: ['not_holder', 'stale_fence'],
  doors: ['mcp', 'cli'],
  agentField: 'owner',
  positionalFields: ['lane'],
  command: { name: 'renew', alsoTried: ['heartbeat', 'extend', 'refresh', 'keep-alive', 'touch'] },
} as const satisfies Operation;

export const listLanes = {
  title: 'List lanes',
  summary: 'List the lanes that are held or orphaned, sorted by name',
  guidance: 'A page goes on after the last name of the page before.',
  method: 'GET',
  path: '/lanes',
  effect: 'read',
  input: z.strictObject({
    owner: agentId.optional().describe('Only the lanes of this owner'),
    limit: pageLimit.describe('At most this many lanes'),
    after: laneName.optional().describe('Only names after this one'),
    path: scopePath.optional().describe('Only lanes that cover this path'),
  }),
  output: z.looseObject({ lanes: z.array(laneSchema), has_more: z.boolean() }),
  errors: [],
  doors: ['cli'],
  positionalFields: [],
  command: { name: 'lanes', alsoTried: ['list', 'ls', 'locks', 'leases', 'claims'] },
} as const satisfies Operation;

export const checkPaths = {
  title: 'Check paths',
  summary: 'Say which of these paths another owner holds',
  guidance:
    'Only what is held live is named, and nothing that the owner given holds. A path that nobody holds is missing in the answer.',
  method: 'POST',
  path: '/paths/check',
  effect: 'read',
  input: z.strictObject({
    paths: scopePaths.min(1).describe('The paths that somebody is about to change'),
    owner: agentId.optional().describe('Whose own lanes are left out'),
  }),
  output: z.looseObject({
    held: z.array(
      z.looseObject({
        path: z.string(),
        lane: z.string(),
        owner: z.string(),
        held_path: z.string(),
        expires_in_s: z.number(),
        fence: z.number(),
        note: z.string().optional(),
      }),
    ),
  }),
  errors: [],
  doors: ['cli'],
  positionalFields: ['paths'],
  command: { name: 'check', alsoTried: ['paths', 'who-holds', 'guard'] },
} as const satisfies Operation;

export const getLane = {
  title: 'Look at a lane',
  summary: 'Look at one lane: held, orphaned or free, and who waits for it',
  guidance: 'A lane that nobody ever claimed is free and has fence 0.',
  method: 'GET',
  path: '/lanes/{lane}',
  effect: 'read',
  input: z.strictObject({ lane }),
  output: z.looseObject({
    state: z.enum(['held', 'orphaned', 'free']),
    fence: z.number(),
    lane: laneSchema.partial().required({ lane: true }),
    waiting: z.array(waiterSchema),
  }),
  errors: [],
  doors: ['cli'],
  positionalFields: ['lane'],
  command: { name: 'lane', alsoTried: ['get', 'show', 'holder', 'who'] },
} as const satisfies Operation;
