/** What the bus granted. A bus from before fences gives none. */
export type Grant = Readonly<{
  lane: string;
  owner: string;
  leaseSeconds: number;
  fence: number | undefined;
  /** The remaining lease when the response was sent, where the bus says so. */
  leftSeconds?: number | undefined;
}>;

/**
 * Reads the grant from a response. Another kind of bus may leave fields out; then assume that it granted what was
 * asked.
 */
export function toGrant(
  asked: Readonly<{ lane: string; owner: string; lease_s: number }>,
  answer: Readonly<{ lease_s?: unknown; lane?: unknown }>,
): Grant {
  const { fence, expires_in_s: left } = (answer.lane ?? {}) as { fence?: unknown; expires_in_s?: unknown };
  return {
    lane: asked.lane,
    owner: asked.owner,
    leaseSeconds: toSeconds(answer.lease_s) ?? asked.lease_s,
    fence: typeof fence === 'number' ? fence : undefined,
    leftSeconds: toSeconds(left),
  };
}

function toSeconds(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined;
}
