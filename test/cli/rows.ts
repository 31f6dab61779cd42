/** Rows as a bus answers them. */
export function toLane(row: Record<string, unknown> = {}) {
  return {
    lane: 'feeds',
    owner: 'ada',
    claimed_at: '2026-01-02T03:04:05.000Z',
    heartbeat_at: '2026-01-02T03:04:05.000Z',
    expires_at: '2026-01-02T03:05:05.000Z',
    lease_s: 60,
    expires_in_s: 60,
    fence: 3,
    ...row,
  };
}

export function toGrant(row: Record<string, unknown> = {}) {
  const lane = toLane(row);
  return { ok: true, decision: 'claim', lane, lease_s: lane.lease_s };
}

export function toMessage(row: Record<string, unknown> = {}) {
  return {
    id: 1,
    topic: 'plans',
    sender: 'ada',
    body: 'hello',
    action_flag: false,
    ts: '2026-01-02T03:04:05.000Z',
    ...row,
  };
}
