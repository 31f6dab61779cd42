import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export const identityPath = '/identity';

/** The response of a bus that is asked whether it is the one in the address file. */
type Identity = Readonly<{
  proof: string;
  /** Calls in progress, including waiting calls and event streams. */
  callsInFlight: number;
}>;

/**
 * Answers a challenge in a way that requires the token. If another program comes to listen where a bus was, it must
 * not receive this user's messages.
 */
export function createIdentityPage({
  token,
  callsInFlight,
}: Readonly<{ token: string; callsInFlight: () => number }>) {
  function handle({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const challenge = new URL(url, 'http://bus').searchParams.get('challenge') ?? '';
    const identity: Identity = { proof: toProof(token, challenge), callsInFlight: callsInFlight() };
    const text = JSON.stringify(identity);
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
    });
    response.end(text);
  }
  return { method: 'GET', path: identityPath, handle };
}

/** Whether the response to the challenge was made with the token. */
export function isProof(answer: unknown, token: string, challenge: string): boolean {
  const expected = Buffer.from(toProof(token, challenge));
  const given = Buffer.from(typeof answer === 'string' ? answer : '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function toProof(token: string, challenge: string): string {
  return createHmac('sha256', token).update(challenge).digest('hex');
}
