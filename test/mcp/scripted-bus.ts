import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, type Call, type OperationName, operationNames } from '../../src/contract/contract.ts';

export type ScriptedCall = Readonly<{
  name: OperationName;
  input: Readonly<Record<string, unknown>>;
  call?: Call;
}>;

type Script = Partial<Record<OperationName, (input: never, call?: Call) => unknown>>;

/**
 * A bus that answers what the test says, as any program on the other side of the wire might: an older one, a newer
 * one, one that refuses, one that hangs.
 */
export function createScriptedBus(script: Script = {}): { bus: Bus; calls: ScriptedCall[] } {
  const calls: ScriptedCall[] = [];
  const answers = { ...obligingScript, ...script };
  const entries = operationNames.map((name) => {
    const operate = async (input: Readonly<Record<string, unknown>>, call?: Call) => {
      calls.push({ name, input, ...(call && { call }) });
      return answers[name]?.(input as never, call);
    };
    return [name, operate];
  });
  return { bus: Object.fromEntries(entries) as Bus, calls };
}

/** What a lane looks like in an answer. */
export function toLane(lane: string, owner: string, leaseSeconds: number, fence = 1) {
  const ts = '2026-08-01T10:00:00.000Z';
  return {
    lane,
    owner,
    claimed_at: ts,
    heartbeat_at: ts,
    expires_at: ts,
    lease_s: leaseSeconds,
    expires_in_s: leaseSeconds,
    fence,
  };
}

/** Never answers; ends when it is told to, as the engine and the HTTP client do. */
export async function waitForAbort(_input: unknown, call?: Call): Promise<never> {
  await sleep(60_000, undefined, { signal: call?.signal });
  throw new Error('nobody ended the wait');
}

type LaneInput = { lane: string; owner: string; lease_s?: number };

const obligingScript: Script = {
  postMessage: (input: { topic: string; sender: string; body: string; action_flag?: boolean }) => ({
    id: 1,
    topic: input.topic,
    sender: input.sender,
    body: input.body,
    action_flag: input.action_flag ?? false,
    ts: '2026-08-01T10:00:00.000Z',
  }),
  readMessages: (input: { since_id?: number }) => ({
    messages: [],
    cursor: input.since_id ?? 0,
    has_more: false,
  }),
  claimLane: ({ lane, owner, lease_s = 300 }: LaneInput) => ({
    ok: true,
    decision: 'claim',
    lane: toLane(lane, owner, lease_s),
    lease_s,
  }),
  heartbeatLane: ({ lane, owner, lease_s = 300 }: LaneInput) => ({
    ok: true,
    decision: 'heartbeat',
    lane: toLane(lane, owner, lease_s),
    lease_s,
  }),
  releaseLane: ({ lane }: LaneInput) => ({ ok: true, decision: 'released', lane, fence: 1 }),
  getBusStatus: () => ({
    active_lanes: [],
    orphaned_claims: [],
    recent_messages: [],
    pending_action_flags: [],
    waiting: [],
    _meta: { message_count: 0 },
  }),
};
