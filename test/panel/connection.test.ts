import { expect, test } from 'vitest';
import { createTestClock } from '../suite/clock.ts';
import { describeInBrowser, eventually } from './browser.ts';
import { flood } from './flood.ts';

describeInBrowser('the connection of the page', (open) => {
  test('a bus that goes away is said so, what is shown is greyed, and nothing is lost when it is back', async () => {
    const { page, server } = await open({
      before: async ({ bus }) => {
        await bus.postMessage({ topic: 'plan', sender: 'ada', body: 'before' });
        await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 600 });
      },
    });
    await page.evaluate('window.isSamePage = true');
    await server.stop();
    await page.getByText('Away', { exact: true }).waitFor();
    const banner = page.locator('#banner');
    await banner.getByText(/What you see is as it was at \d/).waitFor();
    expect(await page.title()).toBe('Coordination bus – away');
    expect(await page.evaluate('getComputedStyle(document.querySelector("main")).filter')).toBe(
      'grayscale(1)',
    );
    const paintAnew = (words: string) => page.getByLabel('Find a lane or owner').fill(words);
    const left = page.locator('#held-rows .left');
    await paintAnew('feed');
    const shown = await left.textContent();
    await page.waitForTimeout(1_500);
    await paintAnew('feeds');
    expect(await left.textContent()).toBe(shown);

    await server.restart();
    await server.bus.postMessage({ topic: 'plan', sender: 'bob', body: 'while it was away' });
    await server.bus.releaseLane({ lane: 'feeds', owner: 'ada' });
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('article').getByText('while it was away').waitFor();
    await page.locator('#free-rows').getByText('feeds').waitFor();
    expect(await page.getByRole('article').allTextContents()).toHaveLength(2);
    expect(await banner.isVisible()).toBe(false);
    await server.bus.postMessage({ topic: 'plan', sender: 'bob', body: 'live again' });
    await page.getByRole('article').getByText('live again').waitFor();
    expect(await page.evaluate('window.isSamePage')).toBe(true);
  });

  test('nothing is said to be empty before the bus was heard', async () => {
    const { page } = await open({
      before: async ({ bus }) => {
        await bus.postMessage({ topic: 'ops', sender: 'ada', body: 'May I?', action_flag: true });
        await bus.claimLane({ lane: 'feeds', owner: 'ada' });
      },
    });
    const untrue = page.locator('.empty:visible, main button:visible, main [role=table]:visible');
    let fail = () => {};
    const failed = new Promise<void>((resolve) => {
      fail = resolve;
    });
    await page.route('**/api/bus/status', async (asked) => {
      await failed;
      await asked.abort();
    });
    await page.reload();
    await page.getByText('Connecting…').waitFor();
    await page.getByLabel('Find a lane or owner').fill('x');
    await page.getByLabel('Search in the messages loaded').fill('x');
    await page.waitForTimeout(500);
    expect(await untrue.allTextContents()).toEqual([]);
    expect(await page.locator('.counts b').allTextContents()).toEqual(['–', '–', '–', '–', '–', '–']);
    fail();
    await page.getByText('Away', { exact: true }).waitFor();
    expect(await untrue.allTextContents()).toEqual([]);
  });

  test('a person need not wait for the next try', async () => {
    const { page, server } = await open();
    await server.stop();
    await page.getByText('Away', { exact: true }).waitFor();
    // By now the tries are seconds apart.
    await page.getByText(/Next try in ([5-9]|1\d)s/).waitFor({ timeout: 20_000 });
    await server.restart();
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByText('Live', { exact: true }).waitFor({ timeout: 4_000 });
  });

  test('another bus at the same address is shown as it is, with nothing of the one before', async () => {
    const { page, server } = await open({
      before: async ({ bus }) => {
        for (let count = 0; count < 3; count += 1)
          await bus.postMessage({ topic: 'old', sender: 'ada', body: `old ${count}` });
      },
    });
    await page.getByRole('article').getByText('old 2').waitFor();
    await server.restart({ isEmpty: true });
    await server.bus.postMessage({ topic: 'new', sender: 'bob', body: 'of the other bus' });
    await page.getByRole('article').getByText('of the other bus').waitFor();
    expect(await page.getByRole('article').count()).toBe(1);
  });

  test('a bus of another version asks for a reload, and goes on working', async () => {
    const { page, server } = await open();
    await server.restart({ version: '9.9.9' });
    await page.getByText('bus-mcp 9.9.9').waitFor();
    await page.getByText('the bus was upgraded: reload this page').waitFor();
  });

  test('more than can be caught up with event by event is read again', async () => {
    const { page, server } = await open({
      before: ({ bus }) => bus.postMessage({ topic: 'plan', sender: 'ada', body: 'long ago' }),
    });
    await page.getByRole('article').getByText('long ago').waitFor();
    await page.route('**/api/bus/**', (route) => route.abort());
    await server.restart();
    await page.getByText('Away', { exact: true }).waitFor();
    await flood(server.bus, 5_200, (index) => ({ topic: 'flood', sender: 'bob', body: `drop ${index}` }));
    await page.unroute('**/api/bus/**');
    await eventually(() => page.locator('#count-messages').textContent()).toBe('5,201');
    await eventually(() => page.locator('#messages-more').textContent()).toMatch(/^[1-9]00 loaded\.$/);
  });

  test('a lease that runs out moves to what was left behind, and a person can release it', async () => {
    const clock = createTestClock(Date.now());
    const { page, server } = await open({
      options: { clockFrom: () => clock },
      before: ({ bus }) => bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 60 }),
    });
    await page.locator('#held-rows').getByText('feeds').waitFor();
    clock.advance(61);
    const orphan = page.locator('#orphans-rows [role=row]');
    await orphan.getByText('feeds').waitFor();
    await orphan.locator('.owner').getByText('ran out').waitFor();
    // Whoever releases can say who they are, although nobody asked for a person.
    await page.getByLabel('Sign as').fill('mira');
    expect(await page.locator('#held-rows [role=row]').count()).toBe(0);
    await page.getByRole('button', { name: 'Release lane feeds' }).click();
    await page.getByText('Lane feeds was released.').waitFor();
    await eventually(() => orphan.count()).toBe(0);
    const { events } = await server.bus.readEvents({});
    expect(events.at(-1)).toMatchObject({ kind: 'lane_released', owner: 'ada', released_by: 'mira' });
  });

  test('releasing what somebody stole in the meantime touches nothing, and says so', async () => {
    const clock = createTestClock(Date.now());
    const { page, server } = await open({
      options: { clockFrom: () => clock },
      before: async ({ bus }) => {
        await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 60 });
        clock.advance(61);
      },
    });
    const button = page.getByRole('button', { name: 'Release lane feeds' });
    await button.waitFor();
    // The page is kept from hearing of it, as if the click had been a moment faster.
    await page.route('**/release', async (route) => {
      await server.bus.claimLane({ lane: 'feeds', owner: 'bob', lease_s: 600 });
      await route.continue();
    });
    await button.click();
    await page.getByText(/Lane feeds was not released: the fence given is not the one/).waitFor();
    await page.locator('#held-rows .owner').getByText('bob').waitFor();
  });
});
