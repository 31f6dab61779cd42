import axe from 'axe-core';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeInBrowser, eventually, inBrowser } from './browser.ts';
import type { PanelServer } from './server.ts';
import { createSkewedClock } from './skewed-clock.ts';

/** A little of everything that the page can show. */
async function fillBus({ bus }: PanelServer, setMinutes: (minutes: number) => void): Promise<void> {
  await bus.claimLane({ lane: 'docs', owner: 'eve', lease_s: 600 });
  await bus.claimLane({ lane: 'index', owner: 'bob', lease_s: 60 });
  setMinutes(-5);
  await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 3_600 });
  await bus.claimLane({ lane: 'index', owner: 'ada', lease_s: 3_600 });
  await bus.claimLane({ lane: 'free', owner: 'ada', lease_s: 3_600 });
  await bus.releaseLane({ lane: 'free', owner: 'ada' });
  setMinutes(0);
  await bus.postMessage({ topic: 'plan', sender: 'ada', body: 'x '.repeat(2_000) });
  const { id } = await bus.postMessage({ topic: 'ops', sender: 'bob', body: 'Done?', action_flag: true });
  await bus.acknowledgeFlag({ id, by: 'mira' });
  await bus.postMessage({ topic: 'ops', sender: 'eve', body: 'May I?', action_flag: true });
  bus.claimLane({ lane: 'feeds', owner: 'bob', wait_s: 60 }).catch(() => {});
}

async function findFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run()')) as axe.AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

describeInBrowser('everybody can use the page', (open) => {
  const openFull = async (context: BrowserContextOptions) => {
    const clock = createSkewedClock(-20);
    const opened = await open({
      // What axe does to the page is not what the page may do.
      context: { bypassCSP: true, reducedMotion: 'reduce', ...context },
      options: { clockFrom: clock.clockFrom },
      before: (server) => fillBus(server, clock.setMinutes),
    });
    await opened.page.locator('#held-rows').getByText('1 waiting').waitFor();
    await opened.page.locator('#orphans-rows').getByText('docs').waitFor();
    await opened.page.locator('#free-rows').getByText('free').waitFor();
    return opened;
  };

  const looks: [string, BrowserContextOptions][] = [
    ['by day', { colorScheme: 'light' }],
    ['by night', { colorScheme: 'dark' }],
    ['by day on a phone', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
    ['by night on a phone', { colorScheme: 'dark', viewport: { width: 360, height: 740 } }],
  ];
  for (const [name, context] of looks) {
    test(`axe finds nothing serious ${name}, with everything or nothing on it, and while the bus is away`, async () => {
      const { page, server } = await openFull(context);
      expect(await findFaults(page)).toEqual([]);
      await server.stop();
      await page.getByText('Away', { exact: true }).waitFor();
      expect(await findFaults(page)).toEqual([]);
      await server.restart({ isEmpty: true, writeSecret: 'secret' });
      await page.locator('#start-lines code').first().waitFor();
      await eventually(() => page.locator('#connection').textContent()).toBe('Live');
      await page.locator('#notices:empty').waitFor({ state: 'attached' });
      await page.getByText('Another client').click();
      expect(await findFaults(page)).toEqual([]);
    });
  }

  test('axe finds nothing serious in the dialog for the secret', async () => {
    const { page } = await open({
      context: { bypassCSP: true },
      options: { writeSecret: 'secret' },
      before: ({ bus }) => bus.postMessage({ topic: 'ops', sender: 'ada', body: 'Help', action_flag: true }),
    });
    await page.getByRole('button', { name: 'Acknowledge message #1' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await findFaults(page)).toEqual([]);
  });

  test('follows the light and dark of the system', async () => {
    const ground = 'getComputedStyle(document.documentElement).backgroundColor';
    const { page } = await open({ context: { colorScheme: 'light' } });
    const day = await page.evaluate(ground);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await page.evaluate(ground)).not.toBe(day);
  });

  test('nothing on it moves by itself', async () => {
    const { page } = await openFull({ reducedMotion: 'no-preference' });
    const moving = await page.locator('*').evaluateAll(toMoving);
    expect(moving).toEqual([]);
  });

  test('fits on a phone: nothing is wider than the screen, and every part can be reached', async () => {
    const { page } = await openFull({
      viewport: { width: 320, height: 640 },
      hasTouch: true,
      isMobile: true,
    });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(320);
    const right = inBrowser(
      '(all) => Math.max(...all.map((element) => element.getBoundingClientRect().right))',
    );
    expect(await page.locator('main *:visible').evaluateAll(right)).toBeLessThanOrEqual(320);
    for (const id of ['flags', 'lanes', 'orphans', 'messages']) {
      await page.evaluate('scrollTo(0, 0)');
      await page.locator(`.counts a[href="#${id}"]`).first().tap();
      await eventually(() => page.locator(`#${id}`).evaluate(isNearTop)).toBe(true);
    }
    await page.locator('#message-3').waitFor();
  });

  test('a finger hits what it means on a phone, which does not zoom into the fields', async () => {
    const { page } = await openFull({
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    });
    const sizes = (await page
      .locator(':is(a, button, input, select, summary):visible')
      .evaluateAll(toSizes)) as { name: string; height: number; letters: number }[];
    expect(sizes.length).toBeGreaterThan(20);
    expect(sizes.filter(({ height }) => height < 28)).toEqual([]);
    const fields = sizes.filter(({ name }) => /^(INPUT|SELECT)/.test(name));
    expect(fields.length).toBeGreaterThan(4);
    expect(fields.filter(({ letters }) => letters < 16)).toEqual([]);
  });

  test('everything can be done with the keyboard alone', async () => {
    const { page, server } = await openFull({});
    const press = (key: string) => page.keyboard.press(key);
    /** Goes on with the Tab key to what has that name; whatever has the focus on the way must show it. */
    const tabTo = async (name: RegExp): Promise<void> => {
      for (let count = 0; count < 60; count += 1) {
        await press('Tab');
        const { text, isSeen } = (await page.evaluate(focused)) as { text: string; isSeen: boolean };
        expect(isSeen, text).toBe(true);
        if (name.test(text)) return;
      }
      expect.fail(`the Tab key leads to nothing named ${name}`);
    };
    await press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the messages');
    await tabTo(/Acknowledge message #3/);
    await press('Enter');
    await page.getByText('Nobody asked for a person.').waitFor();
    // The keyboard stays where the flag was.
    expect(await page.evaluate('document.activeElement.id')).toBe('flags');
    await tabTo(/Release lane docs/);
    await press('Space');
    await page.getByText('Lane docs was released.').waitFor();
    await eventually(() => page.evaluate('document.activeElement.id')).toBe('lanes');
    await tabTo(/Topic/);
    await page.keyboard.type('ops');
    await press('Enter');
    await eventually(() => page.getByRole('article').count()).toBe(2);
    await tabTo(/Search/);
    await page.keyboard.type('done');
    await eventually(() => page.getByRole('article').count()).toBe(1);
    await press('Control+A');
    await press('Delete');
    await eventually(() => page.getByRole('article').count()).toBe(2);
    await tabTo(/#3/);
    await press('Enter');
    await eventually(() => page.evaluate('document.activeElement.id')).toBe('message-3');
    await press('PageDown');
    expect(await page.evaluate('document.activeElement.id')).toBe('message-2');
    expect((await server.bus.getBusStatus({})).pending_action_flags).toEqual([]);
  });
});

const toMoving = inBrowser(`(all) => all.filter((element) => {
  const { transitionDuration, animationName } = getComputedStyle(element);
  return transitionDuration !== '0s' || animationName !== 'none';
}).map((element) => element.className)`);

const toSizes = inBrowser(`(all) => all.map((element) => ({
  name: element.tagName + ' ' + element.textContent,
  height: element.getBoundingClientRect().height,
  letters: parseFloat(getComputedStyle(element).fontSize),
}))`);

const isNearTop = inBrowser('(element) => Math.abs(element.getBoundingClientRect().top) < 140');

const focused = `(() => {
  const element = document.activeElement;
  const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return { text: label + ' ' + (element.placeholder ?? ''), isSeen: outlineStyle !== 'none' && outlineWidth !== '0px' };
})()`;
