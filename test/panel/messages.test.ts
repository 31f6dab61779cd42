import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeInBrowser, eventually, inBrowser } from './browser.ts';
import type { PanelServer } from './server.ts';
import { createSkewedClock } from './skewed-clock.ts';

/** Messages 1 to so many, of two topics and three senders in turn. */
async function postMany({ bus }: PanelServer, count: number): Promise<void> {
  for (let id = 1; id <= count; id += 1) {
    await bus.postMessage({
      topic: id % 10 === 0 ? 'rare' : 'plan',
      sender: ['ada', 'bob', 'eve'][id % 3] ?? '',
      body: id % 50 === 0 ? `The Needle (${id})` : `straw ${id}`,
    });
  }
}

const bodies = (page: Page) => page.getByRole('article').locator('.body').allTextContents();
async function chooseTopic(page: Page, name: string): Promise<void> {
  await page.getByLabel('Topic').fill(name);
  await page.getByLabel('Topic').press('Enter');
}

const more = (page: Page) => page.locator('#messages-more').textContent();

async function expectHeaderInSight(page: Page, after: string): Promise<void> {
  await page.waitForTimeout(100);
  const tops =
    '[document.documentElement.scrollTop, document.querySelector(".top").getBoundingClientRect().top]';
  expect(await page.evaluate(tops), after).toEqual([0, 0]);
}

describeInBrowser('the messages on the page', (open) => {
  test('are filtered by topic, which also asks the bus for those not loaded', async () => {
    const { page, server } = await open({ before: (server) => postMany(server, 250) });
    await page.getByRole('article').first().waitFor();
    await chooseTopic(page, 'rare');
    await eventually(() => more(page)).toBe('25 loaded, all there are.');
    expect((await bodies(page)).slice(0, 2)).toEqual(['The Needle (250)', 'straw 240']);
    await server.bus.postMessage({ topic: 'plan', sender: 'ada', body: 'not of that topic' });
    await server.bus.postMessage({ topic: 'rare', sender: 'ada', body: 'of that topic' });
    await page.getByRole('article').getByText('of that topic', { exact: true }).waitFor();
    expect((await bodies(page)).slice(0, 2)).toEqual(['of that topic', 'The Needle (250)']);
    await page.getByLabel('Topic').fill('');
    await page.getByText('not of that topic').waitFor();
  });

  test('are found by a topic of which none is loaded, and by one whose name hides something', async () => {
    const { page } = await open({
      before: async (server) => {
        await server.bus.postMessage({ topic: 'ancient', sender: 'ada', body: 'long ago' });
        await server.bus.postMessage({ topic: 'a\u202eb', sender: 'ada', body: 'turned' });
        await postMany(server, 150);
      },
    });
    await page.getByRole('article').first().waitFor();
    const offered = page
      .locator('#topics option')
      .evaluateAll(inBrowser('(all) => all.map(({ value }) => value)'));
    expect(await offered).toEqual(['plan', 'rare']);
    await chooseTopic(page, 'ancient');
    await eventually(() => bodies(page)).toEqual(['long ago']);
    expect(await more(page)).toBe('1 loaded, all there are.');
    await page.getByLabel('Topic').fill('');
    await page.evaluate('location.hash = "#message-2"');
    await page.locator('#message-2').getByRole('button', { name: 'a⟨U+202E⟩b' }).click();
    expect(await page.getByLabel('Topic').inputValue()).toBe('a⟨U+202E⟩b');
    await eventually(() => bodies(page)).toEqual(['turned']);
  });

  test('are filtered by sender and searched in any case, with what was found marked', async () => {
    const { page } = await open({ before: (server) => postMany(server, 100) });
    await page.getByLabel('Sender').selectOption('bob');
    await eventually(() => more(page)).toBe('34 of 100 loaded, all there are.');
    await page.getByLabel('Sender').selectOption('');
    await page.getByLabel('Search in the messages loaded').fill('needle (1');
    await eventually(() => bodies(page)).toEqual(['The Needle (100)']);
    expect(await page.locator('mark').allTextContents()).toEqual(['Needle (1']);
    await page.getByLabel('Search in the messages loaded').fill('no such thing');
    await page.getByText('No message fits.').waitFor();
  });

  test('a click on the topic or sender of one shows more of its kind', async () => {
    const { page } = await open({ before: (server) => postMany(server, 20) });
    await page.locator('#message-20').getByRole('button', { name: 'rare' }).click();
    await eventually(() => bodies(page)).toEqual(['straw 20', 'straw 10']);
    await page.locator('#message-20').getByRole('button', { name: 'eve' }).click();
    await eventually(() => bodies(page)).toEqual(['straw 20']);
    await page.locator('#agents').getByRole('button', { name: /^bob/ }).click();
    await eventually(() => more(page)).toBe('7 of 20 loaded, all there are.');
  });

  test('are paged back as far as the log goes, with few of them in the document', async () => {
    const { page } = await open({ before: (server) => postMany(server, 900) });
    for (let count = 0; count < 40; count += 1) {
      await page.locator('#messages footer').scrollIntoViewIfNeeded();
      if ((await more(page)) === '900 loaded, all there are.') break;
      await page.waitForTimeout(50);
    }
    expect(await more(page)).toBe('900 loaded, all there are.');
    await page.locator('#messages footer').scrollIntoViewIfNeeded();
    await page.locator('#message-1').waitFor();
    expect(await page.getByRole('article').count()).toBeLessThan(300);
    expect(await page.locator('#message-1').getAttribute('aria-posinset')).toBe('900');
  });

  test('a link leads to its message, also to one that was not loaded', async () => {
    const { page } = await open({
      before: (server) => postMany(server, 400),
      hash: '#message-7',
    });
    await page.locator('#message-7').waitFor();
    await eventually(() => page.evaluate('document.activeElement.id')).toBe('message-7');
    await page.getByText('The log as it was at #12.').waitFor();
    expect((await bodies(page))[0]).toBe('straw 12');
    await page.getByRole('button', { name: 'Back to the newest' }).click();
    await page.locator('#message-400').waitFor();
    await page.locator('#message-390 .when').click();
    await eventually(() => page.evaluate('document.activeElement.id')).toBe('message-390');
    expect(page.url()).toMatch(/#message-390$/);
  });

  test('a link that was followed before leads to its message again', async () => {
    const { page } = await open({
      before: async (server) => {
        await server.bus.postMessage({ topic: 'ops', sender: 'ada', body: 'May I?', action_flag: true });
        await postMany(server, 400);
      },
    });
    for (let count = 0; count < 2; count += 1) {
      await page.locator('#flag-1 .when').click();
      await eventually(() => page.evaluate('document.activeElement.id')).toBe('message-1');
      await page.getByRole('button', { name: 'Back to the newest' }).click();
      await page.locator('#message-401').waitFor();
    }
  });

  test('no link moves the page itself, whose header stays in sight', async () => {
    const clock = createSkewedClock(-10);
    const { page } = await open({
      options: { clockFrom: clock.clockFrom },
      before: async (server) => {
        const names = Array.from({ length: 40 }, (_, index) => `lane-${index}`);
        await server.bus.claimLane({ lane: 'left', owner: 'ada', lease_s: 60 });
        await Promise.all(names.map((lane) => server.bus.claimLane({ lane, owner: 'ada', lease_s: 3_600 })));
        clock.setMinutes(0);
        await postMany(server, 60);
      },
    });
    await page.locator('#message-60').waitFor();
    for (const id of ['lanes', 'orphans', 'messages', 'flags']) {
      await page.locator(`.counts a[href="#${id}"]`).first().click();
      await expectHeaderInSight(page, id);
    }
    await page.evaluate('location.hash = "#message-3"');
    await eventually(() => page.evaluate('document.activeElement.id')).toBe('message-3');
    await expectHeaderInSight(page, 'message-3');
  });

  test('a link that filters hide its message from takes them away; one to nothing says so', async () => {
    const { page } = await open({ before: (server) => postMany(server, 60) });
    await page.getByLabel('Sender').selectOption('ada');
    await page.evaluate('location.hash = "#message-20"');
    await eventually(() => page.evaluate('document.activeElement.id')).toBe('message-20');
    expect(await page.getByLabel('Sender').inputValue()).toBe('');
    await page.evaluate('location.hash = "#message-61"');
    await page.getByText('There is no message #61 yet.').waitFor();
  });

  test('a link to a message that was pruned says so, and the count is of those that are kept', async () => {
    const { page, server } = await open({
      before: async (server) => {
        await postMany(server, 60);
        await server.bus.pruneMessages({ keep: 5 });
      },
    });
    const count = page.locator('#count-messages');
    await eventually(() => count.textContent()).toBe('5');
    await server.bus.postMessage({ topic: 'plan', sender: 'ada', body: 'one more' });
    await eventually(() => count.textContent()).toBe('6');
    await page.getByLabel('Sender').selectOption('bob');
    await page.evaluate('location.hash = "#message-7"');
    await page.getByText('Message #7 was pruned: the bus does not keep it any more.').waitFor();
    // The person is left where they were.
    expect(await page.getByLabel('Sender').inputValue()).toBe('bob');
    expect(await page.locator('#messages-place').isVisible()).toBe(false);
    await page.evaluate('location.hash = "#message-62"');
    await page.getByText('There is no message #62 yet.').waitFor();
    await page.evaluate('location.hash = "#message-56"');
    await eventually(() => page.evaluate('document.activeElement.id')).toBe('message-56');
  });

  test('a person who reads further down stays there, and is told what came in', async () => {
    const { page, server } = await open({ before: (server) => postMany(server, 100) });
    const pane = page.locator('.pane').last();
    await page.locator('#message-100').waitFor();
    await pane.evaluate(inBrowser('(pane) => pane.scrollTo(0, 3000)'));
    await page.waitForTimeout(300);
    const place = (id: string) =>
      page.locator(id).evaluate(inBrowser('(card) => card.getBoundingClientRect().top'));
    const seen = await page
      .getByRole('article')
      .evaluateAll(inBrowser('(all) => all.find((card) => card.getBoundingClientRect().top > 200).id'));
    const before = await place(`#${seen}`);
    await server.bus.postMessage({ topic: 'plan', sender: 'ada', body: 'new one' });
    await server.bus.postMessage({ topic: 'plan', sender: 'ada', body: 'new two' });
    const fresh = page.getByRole('button', { name: '2 new messages' });
    await fresh.waitFor();
    expect(Math.abs(Number(await place(`#${seen}`)) - Number(before))).toBeLessThan(3);
    await fresh.click();
    await page.locator('#message-102').waitFor();
    await eventually(() => page.evaluate('document.activeElement.id')).toBe('message-102');
    expect(await fresh.isVisible()).toBe(false);
  });

  test('a time is relative, and exact for whoever points at it or comes to it by keyboard', async () => {
    const { page } = await open({
      before: ({ bus }) => bus.postMessage({ topic: 'plan', sender: 'ada', body: 'now' }),
      context: { timezoneId: 'Europe/Berlin' },
    });
    const link = page.locator('#message-1 .when');
    await eventually(() => link.textContent()).toMatch(/^#1 · (just now|\d\d?s ago)$/);
    const exact = await link.locator('time').getAttribute('title');
    expect(exact).toMatch(/\d{4} at \d\d:\d\d:\d\d (CET|CEST|GMT\+\d)/);
    await link.focus();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Tab');
    const shown = await link.evaluate(inBrowser('(element) => getComputedStyle(element, "::after").content'));
    expect(shown).toContain(exact);
  });
});
