import { z } from 'zod';
import { agentId, clientName, pageLimit, placeName, sessionKey, timestamp } from './fields.ts';
import type { Operation } from './operation.ts';

/**
 * Whoever acts under one id. One that joined has the client and the place that it named; one that never did is known
 * from its first write.
 */
export const agentSchema = z.looseObject({
  agent: z.string(),
  client: z.string().optional(),
  place: z.string().optional(),
  joined_at: timestamp,
  left_at: timestamp.optional(),
  seen_s_ago: z.number(),
  /** `here` was heard lately, or waits right now; `quiet` was not; `left` said that it is done. */
  state: z.enum(['here', 'quiet', 'left']),
  /** The lanes that it holds live, by name, and no more than a page shows. */
  holds: z.array(z.string()),
  /** The lanes that it waits for. */
  waits_for: z.array(z.string()).optional(),
});

/** Another live session that acts under the same id. */
export const sharingSchema = z.looseObject({
  client: z.string().optional(),
  place: z.string().optional(),
  joined_at: timestamp,
});

const session = sessionKey.describe("The client's own key of the session; the same key gets the same agent");

export const joinAgent = {
  title: 'Join as an agent',
  summary: 'Join the bus with a session, and learn which agent it is',
  guidance:
    "A session that joins for the first time gets an id like claude-3, which no other session ever gets. Joining again, also after a restart of the bus, answers the same id. With agent, the session asks for an id of its own choice; when other live sessions use that id too, the answer lists them, because they hold one another's lanes.",
  method: 'POST',
  path: '/agents/join',
  effect: 'idempotent',
  input: z.strictObject({
    session,
    client: clientName.optional().describe('The name of the client, such as claude-code'),
    place: placeName.optional().describe('The project it works in, for people'),
    agent: agentId.optional().describe('An id of your own choice instead of a given one'),
  }),
  output: z.looseObject({
    agent: z.string(),
    is_new: z.boolean(),
    shared_with: z.array(sharingSchema).optional(),
  }),
  errors: ['not_your_session'],
  doors: ['cli'],
  positionalFields: ['session'],
  command: { name: 'join', alsoTried: ['register', 'hello', 'login'] },
} as const satisfies Operation;

export const leaveAgent = {
  title: 'Leave as an agent',
  summary: 'End a session, which releases the lanes of its agent when no other session uses it',
  guidance:
    'When the last live session of an agent leaves, the bus releases every lane that the agent holds, and those of its sub-ids such as claude-3/tests. The session may join again later and gets the same agent.',
  method: 'POST',
  path: '/agents/{agent}/leave',
  effect: 'idempotent',
  input: z.strictObject({ agent: agentId.describe('The agent that the session got'), session }),
  output: z.looseObject({ agent: z.string(), released: z.array(z.string()) }),
  errors: ['not_your_session'],
  doors: ['cli'],
  positionalFields: ['agent', 'session'],
  command: { name: 'leave', alsoTried: ['quit', 'goodbye', 'logout'] },
} as const satisfies Operation;

export const listAgents = {
  title: 'List agents',
  summary: 'List the agents, sorted by id: who is here, what they hold, and what they wait for',
  guidance:
    'An agent is here when it was heard within 5 minutes. Being quiet takes no lane away: only leases end. A page goes on after the last id of the page before.',
  method: 'GET',
  path: '/agents',
  effect: 'read',
  input: z.strictObject({
    limit: pageLimit.describe('At most this many agents'),
    after: agentId.optional().describe('Only ids after this one'),
  }),
  output: z.looseObject({ agents: z.array(agentSchema), has_more: z.boolean() }),
  errors: [],
  doors: ['cli'],
  positionalFields: [],
  command: { name: 'agents', alsoTried: ['people', 'peers', 'sessions', 'whoami'] },
} as const satisfies Operation;
