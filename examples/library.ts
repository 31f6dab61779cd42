// The bus as a library: one in this process that also listens, and a client that talks to it as any other program would.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createClient, isRefusal, type Message, openBus } from 'bus-mcp';

const folder = await mkdtemp(join(tmpdir(), 'bus-mcp-library-'));
const bus = await openBus({ store: join(folder, 'bus.db'), listen: { port: 0 } });
const client = createClient({ baseUrl: bus.baseUrl ?? '' });

// Both are a `Bus`: what is written against that type cannot tell them apart.
const { lane } = await claim(client, 'ada');
await claim(bus, 'grace');

const posted: Message = await client.postMessage({
  topic: 'docs',
  sender: 'ada',
  body: 'the reference is generated now',
  // Posted only as long as ada still holds the lane under this fence.
  lane: 'docs',
  fence: lane.fence,
});
console.log(`message ${posted.id} under fence ${lane.fence}`);

// Held open until there is something to read, instead of asking again and again.
const waiting = bus.readMessages({ topic: 'docs', since_id: posted.id, wait_s: 20 });
await client.postMessage({ topic: 'docs', sender: 'ada', body: 'done' });
console.log(`grace reads: ${(await waiting).messages.map(({ body }) => body).join()}`);

await client.releaseLane({ lane: 'docs', owner: 'ada', fence: lane.fence });
await claim(bus, 'grace');

await client.close();
await bus.close();
await rm(folder, { recursive: true });

async function claim(at: Bus, owner: string) {
  try {
    const granted = await at.claimLane({ lane: 'docs', owner, lease_s: 60 });
    console.log(`${owner} holds docs under fence ${granted.lane.fence}`);
    return granted;
  } catch (error) {
    if (!isRefusal(error, 'lane_held')) throw error;
    console.log(`${owner} is refused: ${error.detail}`);
    return { lane: { fence: 0 } };
  }
}
