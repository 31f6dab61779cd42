// Takes the pictures of the page for the README from a scripted day, and more for whoever works on it with --all FOLDER.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { findChromium, launchChromium, noChromium } from '../test/panel/chromium.ts';
import { type PanelServer, startPanelServer } from '../test/panel/server.ts';
import { createSkewedClock } from '../test/panel/skewed-clock.ts';
import { playBusyDay } from './busy-day.ts';
import { shrinkPng } from './shrink-png.ts';

const bytesMax = 200_000;
const desk: BrowserContextOptions = { viewport: { width: 1440, height: 900 } };
const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

await main();

async function main(): Promise<void> {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(noChromium);
  const at = process.argv.indexOf('--all');
  const folder = at < 0 ? undefined : process.argv[at + 1];
  const browser = await launchChromium(executablePath);
  try {
    await withBusyDay(async (server) => {
      await shoot(browser, server, 'docs/panel-light.png', desk);
      await shoot(browser, server, 'docs/panel-dark.png', { ...desk, colorScheme: 'dark' });
      if (!folder) return;
      mkdirSync(folder, { recursive: true });
      await shoot(browser, server, join(folder, 'phone.png'), phone);
      await shoot(browser, server, join(folder, 'phone-dark.png'), { ...phone, colorScheme: 'dark' });
      await shootLost(browser, server, join(folder, 'lost.png'));
    });
    if (folder) await shootEmpty(browser, folder);
  } finally {
    await browser.close();
  }
}

async function withBusyDay(use: (server: PanelServer) => Promise<void>): Promise<void> {
  const clock = createSkewedClock(-60);
  const server = await startPanelServer({ clockFrom: clock.clockFrom, version: '0.1.0' });
  const waiting = new AbortController();
  try {
    const { signal } = waiting;
    await playBusyDay({ bus: server.bus, setMinutes: clock.setMinutes, signal });
    await use(server);
  } finally {
    waiting.abort();
    await server.close();
  }
}

async function shoot(
  browser: Browser,
  server: PanelServer,
  path: string,
  options: BrowserContextOptions,
): Promise<void> {
  await withPage(browser, server, options, async (page) => {
    await page.getByText('Live', { exact: true }).waitFor();
    await page.waitForTimeout(1_500);
    writeFileSync(path, shrinkPng(await page.screenshot()));
  });
  const { size } = statSync(path);
  console.log(`${path}: ${Math.round(size / 1000)} KB`);
  if (size > bytesMax && path.startsWith('docs/'))
    throw new Error(`${path} is larger than ${bytesMax / 1000} KB`);
}

async function shootLost(browser: Browser, server: PanelServer, path: string): Promise<void> {
  await withPage(browser, server, desk, async (page) => {
    await page.getByText('Live', { exact: true }).waitFor();
    await page.waitForTimeout(1_000);
    await server.stop();
    await page.getByText('Away', { exact: true }).waitFor();
    await page.waitForTimeout(3_000);
    await page.screenshot({ path });
    console.log(path);
  });
}

async function shootEmpty(browser: Browser, folder: string): Promise<void> {
  const server = await startPanelServer({ version: '0.1.0' });
  try {
    await shoot(browser, server, join(folder, 'empty.png'), desk);
    await shoot(browser, server, join(folder, 'empty-phone.png'), { ...phone, colorScheme: 'dark' });
  } finally {
    await server.close();
  }
}

async function withPage(
  browser: Browser,
  server: PanelServer,
  options: BrowserContextOptions,
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', ...options });
  try {
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
    page.on('pageerror', (error) => console.error(error));
    await page.goto(`${server.url}/`);
    await use(page);
  } finally {
    await context.close();
  }
}
