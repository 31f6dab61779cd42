import type { Output } from '../contract/contract.ts';
import { isObject } from '../contract/json.ts';
import { limits } from '../contract/limits.ts';

/**
 * The status for an agent: who holds what, who waits, how much there is, and as many whole messages as fit, the newest
 * first. What only a person needs is left out: the flags that wait for one, and how the bus is set up. A field that this
 * version does not know stays as it is.
 */
export function toBriefStatus(status: Output<'getBusStatus'>): Output<'getBusStatus'> {
  const { pending_action_flags: _, ...rest } = status;
  const { shown, hint } = toWholeMessages(rest.recent_messages);
  return {
    ...rest,
    ...mapList('active_lanes', rest.active_lanes, without(laneFields)),
    ...mapList('orphaned_claims', rest.orphaned_claims, without(laneFields)),
    ...mapList('agents', toPresent(rest.agents), without(agentFields)),
    ...mapList('waiting', rest.waiting, without(['since'])),
    ...mapList('recent_messages', shown, withoutUnsetFlag),
    ...(isObject(rest._meta) && { _meta: without(metaFields)(rest._meta) }),
    ...(hint !== undefined && { note: hint }),
  } as Output<'getBusStatus'>;
}

type Row = Readonly<Record<string, unknown>>;

/** Moments of the lease that `expires_in_s` says in one number. */
const laneFields = ['claimed_at', 'heartbeat_at', 'expires_at', 'lease_s'];
const agentFields = ['joined_at', 'left_at'];
const metaFields = [
  'last_event_id',
  'max_lease_seconds',
  'write_secret_armed',
  'store',
  'version',
  'uptime_s',
  'arms_nothing',
];

/** Whole messages only: an agent that sees the beginning of one has to ask for the rest of each. */
function toWholeMessages(messages: unknown): Readonly<{ shown: unknown; hint?: string }> {
  if (!Array.isArray(messages)) return { shown: messages };
  let characters = 0;
  const beyond = messages.findIndex((message) => {
    characters += typeof message?.body === 'string' ? message.body.length : 0;
    return characters > limits.toolStatusMessageCharactersMax;
  });
  if (beyond < 0) return { shown: messages };
  const oldest: unknown = messages[beyond - 1]?.id;
  const how = typeof oldest === 'number' ? `read_messages with before_id=${oldest}` : 'read_messages';
  return { shown: messages.slice(0, beyond), hint: `older messages, whole: ${how}` };
}

/** Whoever has left is nobody to talk to. */
function toPresent(agents: unknown): unknown {
  return Array.isArray(agents) ? agents.filter((agent) => agent?.state !== 'left') : agents;
}

function withoutUnsetFlag(message: Row): Row {
  return message.action_flag === false ? without(['action_flag'])(message) : message;
}

/** Rows of the list that are none stay as they are; so does what is no list. */
function mapList(name: string, list: unknown, map: (row: Row) => Row): Row {
  if (list === undefined) return {};
  return { [name]: Array.isArray(list) ? list.map((row) => (isObject(row) ? map(row) : row)) : list };
}

function without(fields: readonly string[]) {
  return (row: Row): Row =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !fields.includes(name)));
}
