import { openEngine } from '../../src/app/compose.ts';
import type { Bus } from '../../src/contract/contract.ts';
import { writerFile } from '../build.ts';

/** Runs a bus on the store for as long as the action takes. */
export async function withBus<Result>(store: string, action: (bus: Bus) => Promise<Result>): Promise<Result> {
  const engine = await openEngine({ store, writerFile });
  try {
    return await action(engine.bus);
  } finally {
    await engine.close();
  }
}

/** A bit of everything that a bus keeps, pruned and acknowledged and given back in places. */
export async function fillBus(bus: Bus): Promise<void> {
  for (let place = 1; place <= 6; place += 1) {
    const body = `${place}: "quoted", 界 𝄞 \u202e, line\nbreak`;
    await bus.postMessage(
      { topic: place % 2 ? 'plans' : 'news', sender: 'ada', body, action_flag: place > 2 },
      { idempotencyKey: `key-${place}` },
    );
  }
  await bus.claimLane({ lane: 'held', owner: 'ada', lease_s: 3600 });
  await bus.claimLane({ lane: 'free', owner: 'bob' });
  await bus.releaseLane({ lane: 'free', owner: 'bob' });
  await bus.acknowledgeFlag({ id: 3, by: 'grace' });
  await bus.acknowledgeFlag({ id: 5, by: 'grace' });
  await bus.pruneMessages({ keep: 4 });
}

/** Everything that a caller can see of what is kept. */
export async function contentOf(bus: Bus) {
  const { messages } = await bus.readMessages({ since_id: 0, limit: 500 });
  const { events } = await bus.readEvents({ limit: 500 });
  const { lanes } = await bus.listLanes({});
  const { _meta } = await bus.getBusStatus({});
  const { message_count, pending_action_flag_count, last_message_id, last_event_id } = _meta;
  return {
    messages,
    events,
    lanes: lanes.map(({ expires_in_s: _left, ...lane }) => lane),
    counts: { message_count, pending_action_flag_count, last_message_id, last_event_id },
  };
}
