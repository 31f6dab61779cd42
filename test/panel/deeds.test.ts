import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { describeInBrowser, eventually } from './browser.ts';
import type { PanelServer } from './server.ts';
import { createSkewedClock } from './skewed-clock.ts';

const askForPerson = ({ bus }: PanelServer) =>
  bus.postMessage({ topic: 'ops', sender: 'ada', body: 'May I?', action_flag: true });

/** Lets the bus do what it is asked, and loses so many of its answers. */
async function loseAnswers(page: Page, route: string, answersMax: number): Promise<void> {
  let lost = 0;
  await page.route(route, async (asked) => {
    if (lost >= answersMax) return asked.continue();
    lost += 1;
    await asked.fetch();
    await asked.abort();
  });
}

describeInBrowser('what a person does', (open) => {
  test('is asked for again when the answer was lost, and done once', async () => {
    const { page, server } = await open({ before: askForPerson });
    await loseAnswers(page, '**/ack', 1);
    await page.getByRole('button', { name: 'Acknowledge message #1' }).click();
    await page.getByText('Message #1 is acknowledged by panel.').waitFor();
    const { events } = await server.bus.readEvents({});
    expect(events.map(({ kind }) => kind)).toEqual(['message_posted', 'flag_acknowledged']);
  });

  test('is not said to have failed when no answer came at all', async () => {
    const { page } = await open({ before: askForPerson });
    await loseAnswers(page, '**/ack', Number.POSITIVE_INFINITY);
    await page.getByRole('button', { name: 'Acknowledge message #1' }).click();
    await page.getByText('Message #1 may have been acknowledged, or not: the bus does not answer.').waitFor();
    await page.getByText('Nobody asked for a person.').waitFor();
  });

  test('is known not to be done when the bus says so', async () => {
    const { page } = await open({ before: askForPerson });
    const detail = 'the disk is full; nothing was kept';
    await page.route('**/ack', (asked) => asked.fulfill({ status: 503, json: { detail } }));
    await page.getByRole('button', { name: 'Acknowledge message #1' }).click();
    await page.getByText(`Message #1 was not acknowledged: the bus cannot serve now: ${detail}`).waitFor();
  });

  test('frees no lane that was claimed between a lost answer and the second try', async () => {
    const clock = createSkewedClock(-10);
    const { page, server } = await open({
      options: { clockFrom: clock.clockFrom },
      before: async ({ bus }) => {
        await bus.claimLane({ lane: 'feeds', owner: 'ada', lease_s: 60 });
        clock.setMinutes(0);
      },
    });
    let tries = 0;
    await page.route('**/release', async (asked) => {
      tries += 1;
      if (tries > 1) return asked.continue();
      await asked.fetch();
      await server.bus.claimLane({ lane: 'feeds', owner: 'bob', lease_s: 600 });
      await asked.abort();
    });
    await page.getByRole('button', { name: 'Release lane feeds' }).click();
    // The first answer comes again: that lane was freed, whoever has it by now.
    await page.getByText('Lane feeds was released.').waitFor();
    await eventually(() => page.locator('#held-rows .owner').textContent()).toContain('bob');
    expect((await server.bus.getLane({ lane: 'feeds' })).state).toBe('held');
  });
});
