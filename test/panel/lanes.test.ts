import { expect, test } from 'vitest';
import { describeInBrowser, eventually, inBrowser } from './browser.ts';
import { flood } from './flood.ts';
import { createSkewedClock } from './skewed-clock.ts';

const names = (count: number) =>
  Array.from({ length: count }, (_, index) => `lane-${String(index).padStart(3, '0')}`);

describeInBrowser('the lanes on the page', (open) => {
  test('five hundred are shown, sorted and found, with few of them in the document', async () => {
    const { page, server } = await open({
      before: ({ bus }) =>
        Promise.all(
          names(500).map((lane, index) =>
            bus.claimLane({ lane, owner: `owner-${index % 40}`, lease_s: 3_600 + ((index * 7) % 500) }),
          ),
        ),
    });
    await eventually(() => page.locator('#count-held').textContent()).toBe('500');
    const rows = page.locator('#held-rows [role=row]');
    const table = page.getByRole('table', { name: 'Lanes held' });
    expect(await table.getAttribute('aria-rowcount')).toBe('501');
    expect(await rows.count()).toBeLessThan(200);
    await page.locator('#orphans, #agents').last().scrollIntoViewIfNeeded();
    await page.locator('#legend').scrollIntoViewIfNeeded();
    await rows.getByText('lane-499', { exact: true }).waitFor();
    expect(await rows.count()).toBeLessThan(200);
    expect(await rows.last().getAttribute('aria-rowindex')).toBe('501');
    await page.getByLabel('Find a lane or owner').fill('LANE-123');
    await eventually(() => rows.count()).toBe(1);
    await page.getByLabel('Find a lane or owner').fill('owner-7');
    await eventually(() => table.getAttribute('aria-rowcount')).toBe('14');
    await page.getByLabel('Find a lane or owner').fill('');
    await page.getByLabel('Order').selectOption('ending');
    await rows.first().getByText('lane-000', { exact: true }).waitFor();
    await server.bus.claimLane({ lane: 'short', owner: 'ada', lease_s: 30 });
    await eventually(() => rows.first().locator('.lane-name').textContent()).toBe('short');
  });

  test('more than are listed are said to be there, and found among all', async () => {
    const { page, server } = await open({
      before: ({ bus }) =>
        Promise.all(
          names(520).map((lane, index) => bus.claimLane({ lane, owner: 'ada', lease_s: 3_600 + index })),
        ),
    });
    await page.getByText('20 more are held than are listed here. Find looks among them too.').waitFor();
    const rows = page.locator('#held-rows [role=row]');
    await page.getByLabel('Find a lane or owner').fill('lane-51');
    await eventually(() => rows.locator('.lane-name').allTextContents()).toEqual(
      Array.from({ length: 10 }, (_, index) => `lane-51${index}`),
    );
    await page.getByText('Looked among all 520.').waitFor();
    await rows
      .last()
      .getByText(/^1h \d\dm left$/)
      .waitFor();
    await server.bus.releaseLane({ lane: 'lane-515', owner: 'ada' });
    await eventually(() => rows.count()).toBe(9);
    await server.bus.heartbeatLane({ lane: 'lane-516', owner: 'ada', lease_s: 7_200 });
    await rows.getByText(/^(2h 00m|1h 59m) left$/).waitFor();
  });

  test('the most wanted come first when asked for so', async () => {
    const waiting = new AbortController();
    const { page } = await open({
      before: async ({ bus }) => {
        for (const lane of ['a', 'b', 'c']) await bus.claimLane({ lane, owner: 'ada' });
        for (const [lane, owner] of [
          ['b', 'eve'],
          ['c', 'bob'],
          ['c', 'dan'],
        ] as const)
          bus.claimLane({ lane, owner, wait_s: 300 }, { signal: waiting.signal }).catch(() => {});
      },
    });
    const shown = page.locator('#held-rows .lane-name');
    await eventually(() => shown.allTextContents()).toEqual(['a', 'b', 'c']);
    await page.getByLabel('Order').selectOption('waiting');
    await eventually(() => shown.allTextContents()).toEqual(['c', 'b', 'a']);
    expect(await page.locator('#count-waiting').textContent()).toBe('3');
    waiting.abort();
  });

  test('the last hour of a lane shows who had it when, and where it changed hands', async () => {
    const clock = createSkewedClock(-90);
    const { page } = await open({
      options: { clockFrom: clock.clockFrom },
      before: async ({ bus }) => {
        await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 2_400 });
        clock.setMinutes(-45);
        await bus.claimLane({ lane: 'feeds', owner: 'bob', lease_s: 3_600 });
        clock.setMinutes(-30);
        await bus.releaseLane({ lane: 'feeds', owner: 'bob' });
        clock.setMinutes(-15);
        await bus.claimLane({ lane: 'feeds', owner: 'eve', lease_s: 600 });
        clock.setMinutes(0);
        await bus.postMessage({ topic: 'plan', sender: 'ada', body: 'hello' });
      },
    });
    const strip = page.locator('#orphans-rows .strip');
    await eventually(() => strip.getAttribute('aria-label')).toBe(
      'The last hour: 1 claim, 1 steal, 1 release, 2 leases ran out',
    );
    const places = await strip.locator('rect').evaluateAll(toPlaces);
    expect(places).toEqual([
      ['held', 0, 15],
      ['lapsed', 15, 10],
      ['held', 25, 25],
      ['held', 75, 15],
      ['lapsed', 90, 10],
    ]);
    expect(await strip.locator('rect title').first().textContent()).toMatch(
      /^ada, fence 1: before this hour to /,
    );
    expect(await strip.locator('.steal title').textContent()).toMatch(/ stolen by bob$/);
    const hues = await strip.locator('rect.held').evaluateAll(toHues);
    expect(new Set(hues as string[]).size).toBe(3);
  });

  test('names that begin alike are told apart, and every table has the same columns', async () => {
    const clock = createSkewedClock(-10);
    const start = 'refactor-the-import-of-the-feeds-that-come-from-partners-in-';
    const { page } = await open({
      options: { clockFrom: clock.clockFrom },
      before: async ({ bus }) => {
        await bus.claimLane({ lane: 'left-behind', owner: 'ada', lease_s: 60 });
        await bus.claimLane({ lane: 'freed', owner: 'ada', lease_s: 3_600 });
        await bus.releaseLane({ lane: 'freed', owner: 'ada' });
        for (const end of ['europe', 'america'])
          await bus.claimLane({ lane: start + end, owner: 'ada', lease_s: 3_600 });
        clock.setMinutes(0);
      },
    });
    await page.locator('#orphans-rows').getByText('left-behind').waitFor();
    const name = page.locator('#held-rows .lane-name').first();
    expect(await name.textContent()).toMatch(/^refactor-the-.+…\S+-in-america$/);
    expect(await name.getAttribute('aria-label')).toBe(`${start}america`);
    const edges = async (table: string) =>
      page.locator(`#${table}-rows .row`).first().locator('> *:not(.waiters)').evaluateAll(toEdges);
    expect(await edges('orphans')).toEqual(await edges('held'));
    expect(await edges('free')).toEqual(await edges('held'));
  });

  test('a timeline that more happened than is loaded for says from when it counts', async () => {
    const { page } = await open({
      before: async ({ bus }) => {
        await Promise.all(names(200).map((lane) => bus.claimLane({ lane, owner: 'ada', lease_s: 3_600 })));
        await flood(bus, 10_300, (index) => ({ topic: 'flood', sender: 'bob', body: `drop ${index}` }));
      },
    });
    await page.getByText(/^The timelines begin at \d\d:\d\d:\d\d\.$/).waitFor();
  });
});

/** In steps of five percent, which are three minutes: the hour goes on while the page is looked at. */
const toPlaces = inBrowser(`(all) => all.map((rect) => [
  rect.getAttribute('class'),
  5 * Math.round(parseFloat(rect.getAttribute('x')) / 5),
  5 * Math.round(parseFloat(rect.getAttribute('width')) / 5),
])`);

const toEdges = inBrowser('(all) => all.map((cell) => cell.getBoundingClientRect().left)');

const toHues = inBrowser('(all) => all.map((rect) => rect.dataset.hue)');
