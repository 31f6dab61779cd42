import type { BrowserContext, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeInBrowser, eventually } from './browser.ts';
import type { PanelServer } from './server.ts';

/** Under a driver every tab is in sight. This is how a tab learns that it is not. */
const sight = `
  let isHidden = location.hash === '#behind';
  Object.defineProperty(document, 'visibilityState', { get: () => (isHidden ? 'hidden' : 'visible') });
  window.setHidden = (next) => {
    isHidden = next;
    document.dispatchEvent(new Event('visibilitychange'));
  };
`;

const askForPerson = ({ bus }: PanelServer, body: string) =>
  bus.postMessage({ topic: 'ops', sender: 'ada', body, action_flag: true });

async function openTab(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.goto(url);
  return page;
}

describeInBrowser('many tabs of the page', (open) => {
  test('do not keep each other from the bus, however many there are', async () => {
    const { page, server } = await open({ init: sight, before: (server) => askForPerson(server, 'May I?') });
    const tabs = [page];
    while (tabs.length < 8) {
      await tabs.at(-1)?.evaluate('setHidden(true)');
      const tab = await openTab(page.context(), server.url);
      await tab.getByText('Live', { exact: true }).waitFor();
      tabs.push(tab);
    }
    const seen = tabs.at(-1) as Page;
    await seen.getByRole('button', { name: 'Acknowledge message #1' }).click();
    await seen.getByText('Message #1 is acknowledged by panel.').waitFor();
    await server.bus.postMessage({ topic: 'plan', sender: 'bob', body: 'while it was behind' });
    // A tab out of sight keeps its title, and catches up once it is looked at.
    await eventually(() => page.title()).toBe('Coordination bus');
    expect(await page.getByText('Live', { exact: true }).isVisible()).toBe(false);
    await page.evaluate('setHidden(false)');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('article').getByText('while it was behind').waitFor();
    await server.bus.postMessage({ topic: 'plan', sender: 'bob', body: 'live again' });
    await page.getByRole('article').getByText('live again').waitFor();
  });

  test('show in their title what needs a person also when they were opened out of sight', async () => {
    const { page, server } = await open({ init: sight, before: (server) => askForPerson(server, 'May I?') });
    const tab = await openTab(page.context(), `${server.url}/#behind`);
    await eventually(() => tab.title()).toBe('(1) Coordination bus');
    expect(await tab.getByRole('article').count()).toBe(0);
    await tab.evaluate('setHidden(false)');
    await tab.getByText('Live', { exact: true }).waitFor();
    await tab.getByRole('article').getByText('May I?').waitFor();
  });

  test('say out of sight too that the bus went away, and that it came back', async () => {
    const { page, server } = await open({ init: sight });
    await page.evaluate('setHidden(true)');
    await eventually(() => page.locator('#connection').textContent()).toBe('Catching up…');
    await server.stop();
    await eventually(() => page.title()).toBe('Coordination bus – away');
    await server.restart();
    await eventually(() => page.title()).toBe('Coordination bus');
  });
});
