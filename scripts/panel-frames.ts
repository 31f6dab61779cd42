// Measures the page in a real browser: how soon a change is on it, and how long its frames take when there is much on it.
// Ends with status 1 when a target is missed.
import type { Page } from 'playwright-core';
import { findChromium, launchChromium, noChromium } from '../test/panel/chromium.ts';
import { flood } from '../test/panel/flood.ts';
import { type PanelServer, startPanelServer } from '../test/panel/server.ts';

const lanes = 500;
const messages = 10_000;
const delayMillisecondsMax = 100;
const frameMillisecondsMax = 50;
/** What else runs on the machine can only make it slower: the best of so many tries counts. */
const triesMax = 3;

/** What was measured, in milliseconds, and how much 99 of 100 may take. */
type Measure = Readonly<{ name: string; max: number; take: () => Promise<readonly number[]> }>;

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
    const isSoon = await judgeAll([toPostDelays(page, server), toRenewalDelays(page, server)]);
    await loadAll(page);
    const isSmooth = await judgeAll(toFrameMeasures(page, server));
    console.log(isSoon && isSmooth ? 'every target is met' : 'a target is missed');
    if (!isSoon || !isSmooth) process.exitCode = 1;
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

async function judgeAll(measures: readonly Measure[]): Promise<boolean> {
  let areMet = true;
  for (const measure of measures) areMet = (await judge(measure)) && areMet;
  return areMet;
}

async function judge({ name, max, take }: Measure): Promise<boolean> {
  let best: readonly number[] = [Number.POSITIVE_INFINITY];
  for (let tries = 0; tries < triesMax && at(best, 0.99) > max; tries += 1) {
    const next = [...(await take())].sort((a, b) => a - b);
    if (at(next, 0.99) < at(best, 0.99)) best = next;
  }
  const isMet = at(best, 0.99) <= max;
  const figures = `median ${at(best, 0.5).toFixed(1)} ms, p99 ${at(best, 0.99).toFixed(1)} ms, longest ${at(best, 1).toFixed(1)} ms`;
  console.log(`${isMet ? 'met   ' : 'missed'} ${name.padEnd(36)} ${figures}; p99 at most ${max} ms`);
  return isMet;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}

/** From the answer to a post, which is after its commit, to the frame that shows it. */
function toPostDelays(page: Page, { bus }: PanelServer): Measure {
  let count = 0;
  async function takeOne(): Promise<number> {
    count += 1;
    const text = `probe ${count} `;
    const seen = page.evaluate(untilShown('#feed', 'article .body', text)) as Promise<number>;
    await bus.postMessage({ topic: 'probe', sender: 'probe', body: text });
    return toDelay(seen);
  }
  return {
    name: 'a post, from commit to page',
    max: delayMillisecondsMax,
    take: () => takeMany(page, takeOne),
  };
}

/** The same for a renewed lease, of which no event tells. */
function toRenewalDelays(page: Page, { bus }: PanelServer): Measure {
  // The first row of the table.
  const lane = { lane: 'lane-000', owner: 'owner-2' };
  let hours = 1;
  async function takeOne(): Promise<number> {
    hours = (hours % 20) + 1;
    await bus.claimLane({ ...lane, lease_s: 60 });
    await page.waitForTimeout(400);
    const text = hours === 1 ? '59m' : `${hours - 1}h 59m`;
    const seen = page.evaluate(untilShown('#held-rows', '.left', text)) as Promise<number>;
    await bus.heartbeatLane({ ...lane, lease_s: hours * 3_600 - 1 });
    return toDelay(seen);
  }
  return {
    name: 'a renewal, from commit to page',
    max: delayMillisecondsMax,
    take: () => takeMany(page, takeOne),
  };
}

async function takeMany(page: Page, takeOne: () => Promise<number>): Promise<readonly number[]> {
  const delays: number[] = [];
  for (let count = 0; count < 40; count += 1) {
    delays.push(await takeOne());
    await page.waitForTimeout(20 + (count % 7) * 11);
  }
  return delays;
}

/** From now on. */
async function toDelay(seen: Promise<number>): Promise<number> {
  const from = performance.timeOrigin + performance.now();
  return (await seen) - from;
}
/** When the first of these parts begins with that text, in the frame that shows it. */
function untilShown(host: string, partOfIt: string, text: string): string {
  return `new Promise((resolve) => {
  const host = document.querySelector(${JSON.stringify(host)});
  const look = () => {
    const shown = host.querySelector(${JSON.stringify(partOfIt)});
    if (!shown?.textContent.startsWith(${JSON.stringify(text)})) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
  };
  const observer = new MutationObserver(look);
  observer.observe(host, { childList: true, subtree: true, characterData: true });
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

function toFrameMeasures(page: Page, server: PanelServer): readonly Measure[] {
  const toMeasure = (name: string, action: () => Promise<unknown>): Measure => ({
    name,
    max: frameMillisecondsMax,
    take: () => takeFrames(page, action),
  });
  const words = page.getByLabel('Search in the messages loaded');
  return [
    toMeasure('frames, scrolling 500 lanes', () => scroll(page, 0)),
    toMeasure('frames, scrolling 10,000 messages', () => scroll(page, 1)),
    toMeasure('frames, 50 events a second', () => stir(server, 5)),
    toMeasure('frames, 50 events a second, scrolling', () => Promise.all([stir(server, 5), scroll(page, 1)])),
    toMeasure('frames, searching 10,000 messages', async () => {
      await words.fill('');
      await words.pressSequentially('message 77', { delay: 60 });
      await page.waitForTimeout(500);
    }),
  ];
}

/** The times from frame to frame while it is done. */
async function takeFrames(page: Page, action: () => Promise<unknown>): Promise<readonly number[]> {
  await page.evaluate(`window.frames_ = []; window.isMeasuring = true; (() => {
    let last = performance.now();
    const next = (now) => {
      window.frames_.push(now - last);
      last = now;
      if (window.isMeasuring) requestAnimationFrame(next);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(next); });
  })()`);
  await action();
  return (await page.evaluate('window.isMeasuring = false; window.frames_')) as number[];
}
