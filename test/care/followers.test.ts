import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Bus } from '../../src/contract/contract.ts';
import { BusUnreachableError } from '../../src/contract/errors.ts';
import { tellNews } from '../../src/mcp/feed.ts';
import { createFolder } from '../folder.ts';
import { postMany, until } from '../suite/ask.ts';
import { withBus } from './stage.ts';

test('who follows the feed goes on with what is kept after more was pruned than it has seen', async () => {
  await withBus(join(createFolder(), 'bus.db'), async (bus) => {
    await postMany(bus, 1);
    const heard: number[] = [];
    const stop = new AbortController();
    let isAway = false;
    const readEvents: Bus['readEvents'] = async (input, call) => {
      if (isAway) throw new BusUnreachableError('away', 'http://x');
      return bus.readEvents({ ...input, wait_s: 0.05 }, call);
    };
    await tellNews({
      bus: { ...bus, readEvents },
      onEvents: (events) => void heard.push(...events.map(({ id }) => id)),
      log: () => {},
      signal: stop.signal,
    });
    isAway = true;
    await postMany(bus, 5);
    await bus.pruneMessages({ keep: 2 });
    isAway = false;
    try {
      await until('it hears of what is kept', () => heard.includes(6), 8);
      expect(heard.filter((id) => id > 2)).toEqual([5, 6]);
    } finally {
      stop.abort();
    }
  });
});
