import { describe, expect, it, vi } from 'vitest';
import { toBusError } from '../../src/contract/errors.ts';
import { open } from './keeping.ts';
import { openSession } from './sessions.ts';

const held = (expires_in_s: number) => ({
  ok: true,
  lane: { lane: 'docs', owner: 'ada', fence: 7, expires_in_s },
  lease_s: 60,
});

/** An agent whose claim, with `keep_alive`, is granted after so many seconds. */
async function claimLate(seconds: number, heartbeatLane: () => unknown = () => held(60)) {
  let grant = () => {};
  const claimLane = () =>
    new Promise((resolve) => (grant = () => resolve({ ...held(60), decision: 'claim' })));
  const parts = open({ claimLane, heartbeatLane } as never);
  const session = await openSession('SDK v1', parts);
  const claimed = session.call('claim_lane', { lane: 'docs', owner: 'ada', wait_s: 300, keep_alive: true });
  await vi.waitFor(() => expect(parts.count('claimLane')).toBe(1));
  await parts.clock.pass(seconds);
  grant();
  await claimed;
  return { ...parts, session };
}

const next = async ({ session }: Awaited<ReturnType<typeof claimLate>>) =>
  (await session.call('get_bus_status')).structuredContent;

describe('a grant that comes when its client may have given up', () => {
  it('is not renewed until the session is heard again, so that it runs out if nobody is there', async () => {
    const { clock, count } = await claimLate(70);
    await clock.pass(600);
    expect(count('heartbeatLane')).toBe(0);
  });

  it('is named in the next result, once, and renewed from then on', async () => {
    const late = await claimLate(70);
    await late.clock.pass(30);
    expect(await next(late)).toMatchObject({ granted_meanwhile: ['docs'] });
    expect(await next(late)).not.toHaveProperty('granted_meanwhile');
    expect(late.calls.find(({ name }) => name === 'heartbeatLane')?.input).toMatchObject({
      lane: 'docs',
      fence: 7,
    });
    await late.clock.pass(60);
    expect(late.count('heartbeatLane')).toBeGreaterThan(2);
  });

  it('that ran out before the session was heard is told as a lost lane', async () => {
    const refusal = toBusError('not_holder', 'gone', { lane: 'docs', owner: null, expires_in_s: 0 });
    const late = await claimLate(70, () => Promise.reject(refusal));
    const result = await next(late);
    expect(result).toMatchObject({ lost_lanes: ['docs'] });
    expect(result).not.toHaveProperty('granted_meanwhile');
  });

  it('is renewed at once, and not told again, when it came in time for every client', async () => {
    const { clock, count, ...late } = await claimLate(40);
    await clock.pass(60);
    expect(count('heartbeatLane')).toBe(3);
    expect(await next({ clock, count, ...late })).not.toHaveProperty('granted_meanwhile');
  });
});
