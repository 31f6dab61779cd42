// Measures the page in a real browser: how soon a change is on it, and how long its frames take when there is much on it.
import type { Page } from 'playwright-core';
import { findChromium, launchChromium, noChromium } from '../test/panel/chromium.ts';
import { flood } from '../test/panel/flood.ts';
import { type PanelServer, startPanelServer } from '../test/panel/server.ts';

const lanes = 500;
const messages = 10_000;
const delayMillisecondsMax = 100;
const frameMillisecondsMax = 50;

await main();

async function main(): Promise<void> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(noChromium);
  const browser = await launchChromium(executablePath);
  const server = await startPanelServer();
  try {
    await fillBus(server);
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${server.url}/`);
    await page.getByText('Live', { exact: true }).waitFor();
    // The last hour is read in the background first.
    await page.waitForTimeout(4_000);
    await reportDelays(page, server);
    await loadAll(page);
    await reportFrames('scrolling 500 lanes', page, () => scroll(page, 0));
    await reportFrames('scrolling 10,000 messages', page, () => scroll(page, 1));
    await reportFrames('50 events a second, at rest', page, () => stir(server, 5));
    await reportFrames('50 events a second, scrolling', page, async () => {
      await Promise.all([stir(server, 5), scroll(page, 1)]);
    });
    await reportFrames('searching in 10,000 messages', page, async () => {
      await page.getByLabel('Search in the messages loaded').pressSequentially('message 77', { delay: 60 });
      await page.waitForTimeout(500);
    });
  } finally {
    await browser.close();
    await server.close();
  }
}

async function fillBus({ bus }: PanelServer): Promise<void> {
  const names = Array.from({ length: lanes }, (_, index) => `lane-${String(index).padStart(3, '0')}`);
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(
      names.map((lane, index) =>
        bus.claimLane({ lane, owner: `owner-${(index + round) % 40}`, lease_s: 3_600 }),
      ),
    );
    if (round < 2)
      await Promise.all(
        names.map((lane, index) => bus.releaseLane({ lane, owner: `owner-${(index + round) % 40}` })),
      );
  }
  await flood(bus, messages, (index) => ({
    topic: `topic-${index % 20}`,
    sender: `owner-${index % 40}`,
    body: `message ${index}: ${'what was found and what is next. '.repeat(1 + (index % 9))}`,
  }));
}

/** From the answer to a post, which is after its commit, to the frame that shows it. */
async function reportDelays(page: Page, { bus }: PanelServer): Promise<void> {
  const delays: number[] = [];
  for (let count = 0; count < 40; count += 1) {
    const seen = page.evaluate(untilShown(`probe ${count} `)) as Promise<number>;
    await bus.postMessage({ topic: 'probe', sender: 'probe', body: `probe ${count} ` });
    const postedAt = performance.timeOrigin + performance.now();
    delays.push((await seen) - postedAt);
    await page.waitForTimeout(20 + (count % 7) * 11);
  }
  report('from commit to page', delays, delayMillisecondsMax);
}

function untilShown(text: string): string {
  return `new Promise((resolve) => {
  const look = () => {
    const shown = document.querySelector('#feed article .body');
    if (!shown?.textContent.startsWith(${JSON.stringify(text)})) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
  };
  const observer = new MutationObserver(look);
  observer.observe(document.querySelector('#feed'), { childList: true, subtree: true });
  look();
})`;
}

/** Pages back through the whole log. */
async function loadAll(page: Page): Promise<void> {
  const older = page.locator('#messages-older');
  while (await older.isVisible()) {
    await page.evaluate('document.querySelector("#messages-older").click()');
    await page.waitForTimeout(30);
  }
  console.log(`loaded: ${await page.locator('#messages-more').textContent()}`);
}

function scroll(page: Page, pane: number): Promise<unknown> {
  return page.evaluate(`new Promise((resolve) => {
    const pane = document.querySelectorAll('.pane')[${pane}];
    pane.scrollTop = 0;
    let frames = 0;
    const step = () => {
      pane.scrollTop += 90;
      frames += 1;
      if (frames < 300 && pane.scrollTop + pane.clientHeight < pane.scrollHeight - 5) requestAnimationFrame(step);
      else resolve();
    };
    requestAnimationFrame(step);
  })`);
}

/** Messages and lanes that change hands, one after the other. */
async function stir({ bus }: PanelServer, seconds: number): Promise<void> {
  for (let count = 0; count < seconds * 50; count += 1) {
    const lane = `stirred-${count % 10}`;
    if (count % 3 === 0)
      void bus.postMessage({ topic: 'stir', sender: 'stirrer', body: `stirred message ${count}` });
    else if (count % 3 === 1) void bus.claimLane({ lane, owner: 'stirrer', lease_s: 60 });
    else void bus.releaseLane({ lane: `stirred-${(count - 1) % 10}`, owner: 'stirrer' });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function reportFrames(name: string, page: Page, deed: () => Promise<unknown>): Promise<void> {
  await page.evaluate(`window.frames_ = []; window.isMeasuring = true; (() => {
    let last = performance.now();
    const next = (now) => {
      window.frames_.push(now - last);
      last = now;
      if (window.isMeasuring) requestAnimationFrame(next);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(next); });
  })()`);
  await deed();
  const frames = (await page.evaluate('window.isMeasuring = false; window.frames_')) as number[];
  report(name, frames, frameMillisecondsMax);
}

function report(name: string, milliseconds: readonly number[], max: number): void {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(1);
  const over = sorted.filter((one) => one > max).length;
  console.log(
    `${name.padEnd(32)} median ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms, ${over} of ${sorted.length} over ${max} ms`,
  );
}
