import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openEngine } from '../src/app/compose.ts';
import type { Bus } from '../src/contract/contract.ts';
import { writerFile } from './build.ts';
import { withBus } from './care/stage.ts';
import { createFolder } from './folder.ts';
import { openTwoBuses } from './postgres/buses.ts';
import { listen } from './suite/doors/http.ts';

const client = 'claude-code';

async function joinMany(bus: Bus, count: number, prefix = 's'): Promise<string[]> {
  const sessions = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  const joined = await Promise.all(sessions.map((session) => bus.joinAgent({ session, client })));
  return joined.map(({ agent }) => agent);
}

describe('two buses on one PostgreSQL', () => {
  test('give no id twice, and know the sessions of each other', async () => {
    const { one, other } = await openTwoBuses();
    const ids = (await Promise.all([joinMany(one.bus, 5, 'a'), joinMany(other.bus, 5, 'b')])).flat();
    expect(new Set(ids).size).toBe(10);
    const [first] = ids;
    expect(await other.bus.joinAgent({ session: 'a0' })).toEqual({ agent: first, is_new: false });
    await one.bus.claimLane({ lane: 'feeds', owner: first as string });
    const left = await other.bus.leaveAgent({ agent: first as string, session: 'a0' });
    expect(left.released).toEqual(['feeds']);
    expect((await one.bus.getLane({ lane: 'feeds' })).state).toBe('free');
  });

  test('give one session that joins at both at once one id', async () => {
    const { one, other } = await openTwoBuses();
    const asked = { session: 'same', client };
    const joined = await Promise.all([one, other, one, other].map(({ bus }) => bus.joinAgent(asked)));
    expect(new Set(joined.map(({ agent }) => agent))).toEqual(new Set(['claude-1']));
  });
});

test('a bus put back to a backup gives no id again that it gave since', async () => {
  const folder = createFolder();
  const store = join(folder, 'bus.db');
  await withBus(store, (bus) => joinMany(bus, 2));
  copyFileSync(store, join(folder, 'backup.db'));
  await withBus(store, (bus) => joinMany(bus, 3, 'later'));
  copyFileSync(join(folder, 'backup.db'), store);
  const reopened = await openEngine({ store, writerFile, acceptLoss: true });
  try {
    expect((await reopened.bus.joinAgent({ session: 's1', client })).agent).toBe('claude-2');
    const { agent } = await reopened.bus.joinAgent({ session: 'new', client });
    expect(Number(agent.replace('claude-', ''))).toBeGreaterThan(5);
    const other = await reopened.bus.joinAgent({ session: 'codex', client: 'codex' });
    expect(Number(other.agent.replace('codex-', ''))).toBeGreaterThan(3);
  } finally {
    await reopened.close();
  }
});

test('a caller names its agent in the header X-Bus-Agent, and is refused in words when it is no id', async () => {
  const folder = createFolder();
  await withBus(join(folder, 'bus.db'), async (bus) => {
    const { baseUrl, close } = await listen(bus);
    try {
      await bus.joinAgent({ session: 'one', agent: 'ada' });
      const ask = (agent: string) => fetch(`${baseUrl}/messages`, { headers: { 'X-Bus-Agent': agent } });
      expect((await ask('ada')).status).toBe(200);
      expect((await ask('stranger')).status).toBe(200);
      const refused = await ask('x'.repeat(201));
      expect(refused.status).toBe(422);
      expect(((await refused.json()) as { detail: string }).detail).toContain('x-bus-agent');
      expect((await bus.listAgents({})).agents.map(({ agent }) => agent)).toEqual(['ada']);
      const path = `${baseUrl}/agents/${encodeURIComponent('ada/tests')}/leave`;
      const left = await fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ session: 'one' }),
      });
      expect(left.status).toBe(409);
    } finally {
      await close();
    }
  });
});
