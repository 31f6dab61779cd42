import { expect, test } from 'vitest';
import { describeInBrowser, eventually } from './panel/browser.ts';

const secret = 'open sesame ü';

describeInBrowser('the live page', (open) => {
  test('an empty bus shows the three lines that get it going, and makes room when something happens', async () => {
    const { page, server } = await open();
    const lines = page.locator('#start-lines code');
    await eventually(() => lines.count()).toBe(3);
    expect(await lines.allTextContents()).toEqual([
      `claude mcp add --transport http bus ${server.url}/mcp`,
      expect.stringContaining('/lanes/first-lane/claim'),
      expect.stringContaining('/api/bus/message'),
    ]);
    await page.getByText('Another client').click();
    const others = page.locator('#start-others code');
    expect(JSON.parse((await others.first().textContent()) ?? '')).toEqual({
      mcpServers: { bus: { type: 'http', url: `${server.url}/mcp` } },
    });
    expect(await others.last().textContent()).toBe(
      `claude mcp add bus --env BUS_MCP_BASE_URL=${server.url}/api/bus -- bus-mcp`,
    );
    await server.bus.postMessage({ topic: 'hello', sender: 'me', body: 'The bus works.' });
    await page.getByRole('article').getByText('The bus works.').waitFor();
    expect(await page.locator('#start').isVisible()).toBe(false);
  });

  test('the lines of an armed bus take its secret from the shell', async () => {
    const { page, server } = await open({ options: { writeSecret: secret } });
    const lines = page.locator('#start-lines code');
    await eventually(() => lines.count()).toBe(3);
    const header = '"X-Bus-Secret: $BUS_WRITE_SECRET"';
    const all = await lines.allTextContents();
    expect(all[0]).toBe(`claude mcp add --transport http bus ${server.url}/mcp --header ${header}`);
    for (const line of all.slice(1)) expect(line).toContain(`-H ${header}`);
  });

  test('posts, claims, steals and releases appear without a reload', async () => {
    const { page, server } = await open({
      before: ({ bus }) => bus.postMessage({ topic: 'plan', sender: 'ada', body: 'first' }),
    });
    const row = page.locator('#held-rows [role=row]');
    await server.bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 60 });
    await row.filter({ hasText: 'feeds' }).locator('.owner').getByText('ada').waitFor();
    await server.bus.postMessage({ topic: 'plan', sender: 'bob', body: 'second' });
    await page.getByRole('article').getByText('second').waitFor();
    expect(await page.getByRole('article').first().textContent()).toContain('second');
    await server.bus.releaseLane({ lane: 'feeds', owner: 'ada' });
    await page.locator('#free-rows').getByText('feeds').waitFor();
    expect(await row.count()).toBe(0);
    await server.bus.claimLane({ lane: 'feeds', owner: 'bob', lease_s: 60 });
    await row.locator('.owner').getByText('bob').waitFor();
    expect(await page.locator('#free-rows').getByText('feeds').count()).toBe(0);
  });

  test('shows a renewed lease and who waits at once, which no event tells', async () => {
    const { page, server } = await open({
      // Without this the page would also find out by asking now and then.
      init: 'window.setInterval = () => 0',
      before: ({ bus }) => bus.claimLane({ lane: 'deploy', owner: 'ada', lease_s: 115 }),
    });
    const row = page.locator('#held-rows [role=row]');
    await row.getByText(/^1m \d\ds left$/).waitFor();
    await server.bus.heartbeatLane({ lane: 'deploy', owner: 'ada', lease_s: 7_200 });
    await row.getByText(/^(2h 00m|1h 59m) left$/).waitFor();
    const waiting = new AbortController();
    server.bus
      .claimLane({ lane: 'deploy', owner: 'bob', wait_s: 300 }, { signal: waiting.signal })
      .catch(() => {});
    await row.getByText('1 waiting').waitFor();
    await row.locator('.waiters').getByText('bob').waitFor();
    waiting.abort();
    await row.getByText('1 waiting').waitFor({ state: 'hidden' });
  });

  test('acknowledging takes the flag off the list, the title and the icon, in the name of the person', async () => {
    const { page, server } = await open({
      before: async ({ bus }) => {
        await bus.postMessage({ topic: 'ops', sender: 'ada', body: 'May I drop it?', action_flag: true });
        await bus.postMessage({ topic: 'ops', sender: 'bob', body: 'And I?', action_flag: true });
      },
    });
    await eventually(() => page.title()).toBe('(2) Coordination bus');
    expect(decodeURIComponent((await page.locator('link[rel=icon]').getAttribute('href')) ?? '')).toContain(
      '>2</text>',
    );
    await page.getByLabel('Sign as').fill('mira');
    await page.getByRole('button', { name: 'Acknowledge message #1' }).click();
    await eventually(() => page.title()).toBe('(1) Coordination bus');
    expect(await page.locator('.flag').count()).toBe(1);
    await page.locator('#message-1').getByText('acknowledged by mira').waitFor();
    const { pending_action_flags } = await server.bus.getBusStatus({});
    expect(pending_action_flags.map(({ id }) => id)).toEqual([2]);
    await server.bus.acknowledgeFlag({ id: 2, by: 'somebody else' });
    await eventually(() => page.title()).toBe('Coordination bus');
    await page.getByText('Nobody asked for a person.').waitFor();
  });

  test('shows a few of many flags, so that they do not push the lanes away, and all when asked', async () => {
    const { page } = await open({
      before: async ({ bus }) => {
        for (let count = 0; count < 60; count += 1)
          await bus.postMessage({ topic: 'ops', sender: 'ada', body: `ask ${count}`, action_flag: true });
      },
    });
    const flags = page.locator('.flag .body');
    await eventually(() => flags.allTextContents()).toEqual([
      'ask 59',
      'ask 58',
      'ask 57',
      'ask 56',
      'ask 55',
    ]);
    await page.getByRole('button', { name: 'Acknowledge message #60' }).click();
    await eventually(() => flags.allTextContents()).toEqual([
      'ask 58',
      'ask 57',
      'ask 56',
      'ask 55',
      'ask 54',
    ]);
    await page.getByRole('button', { name: 'Show the newest 50 of 59' }).click();
    await eventually(() => flags.count()).toBe(50);
    await page.getByText('9 older ones follow when these are acknowledged.').waitFor();
    await page.getByRole('button', { name: 'Show fewer' }).click();
    await eventually(() => flags.count()).toBe(5);
  });

  test('leads from its head to everybody who was heard from', async () => {
    const { page } = await open({
      before: async ({ bus }) => {
        for (const sender of ['ada', 'bob']) await bus.postMessage({ topic: 'plan', sender, body: 'hello' });
        await bus.claimLane({ lane: 'feeds', owner: 'eve' });
      },
    });
    await eventually(() => page.locator('.counts a[href="#agents"]').textContent()).toBe('3 agents');
  });

  test('asks for the secret of an armed bus, says when it is wrong, and keeps it for this tab only', async () => {
    const { page, server } = await open({
      options: { writeSecret: secret },
      before: ({ bus }) => bus.postMessage({ topic: 'ops', sender: 'ada', body: 'Help', action_flag: true }),
    });
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Acknowledge message #1' }).click();
    await dialog.getByLabel('Write secret').fill('wrong');
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await dialog.getByText('The bus says that this secret is wrong.').waitFor();
    const field = dialog.getByLabel('Write secret');
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await field.getAttribute('aria-describedby')).toBe('secret-reason');
    expect(await page.locator('.flag').count()).toBe(1);
    await dialog.getByLabel('Write secret').fill(secret);
    await page.keyboard.press('Enter');
    await eventually(() => page.locator('.flag').count()).toBe(0);
    expect((await server.bus.getBusStatus({})).pending_action_flags).toEqual([]);
    expect(await page.evaluate('JSON.stringify({ ...localStorage })')).not.toContain(secret);
    expect(await page.evaluate('Object.values(sessionStorage).includes("open sesame ü")')).toBe(true);
    expect(await page.content()).not.toContain(secret);
    await page.getByRole('button', { name: 'Forget the secret' }).click();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
  });

  test('a person who gives no secret is told that nothing was done', async () => {
    const { page, server } = await open({
      options: { writeSecret: secret },
      before: ({ bus }) => bus.postMessage({ topic: 'ops', sender: 'ada', body: 'Help', action_flag: true }),
    });
    await page.getByRole('button', { name: 'Acknowledge message #1' }).click();
    await page.keyboard.press('Escape');
    await page.getByText('Message #1 was not acknowledged: no secret was given.').waitFor();
    expect((await server.bus.getBusStatus({})).pending_action_flags).toHaveLength(1);
  });

  test('counts and times of leases go by the clock of the bus, however wrong that of the browser is', async () => {
    const { page } = await open({
      context: { timezoneId: 'Pacific/Kiritimati' },
      before: ({ bus }) => bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 3_600 }),
    });
    await page.clock.setSystemTime('2001-01-01T00:00:00Z');
    await page.reload();
    const row = page.locator('#held-rows [role=row]');
    await row.getByText(/^(1h 00m|59m \d\ds) left$/).waitFor();
    await row
      .getByText(/^for \d\d?s$/)
      .first()
      .waitFor();
  });
});
