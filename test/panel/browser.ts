import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { findChromium, launchChromium, noChromium } from './chromium.ts';
import { type PanelServer, type PanelServerOptions, startPanelServer } from './server.ts';

type OpenedPanel = Readonly<{
  page: Page;
  server: PanelServer;
  /** What the browser complained about, and whatever was asked of another address. */
  complaints: readonly string[];
}>;

type OpenOptions = Readonly<{
  server?: PanelServer;
  options?: PanelServerOptions;
  context?: BrowserContextOptions;
  /** A script that runs in the page before its own. */
  init?: string;
  /** After the address of the page. */
  hash?: string;
  /** Done to the bus before the page is opened. */
  before?: (server: PanelServer) => Promise<unknown>;
}>;

/** A bus with its page open in a new profile; both are gone after the test, which fails when the browser complained. */
export type OpenPanel = (options?: OpenOptions) => Promise<OpenedPanel>;

/**
 * Rules that hold in a real browser. Where there is none, a laptop skips them and says so; in CI that is a failure,
 * because nobody would read it.
 */
export function describeInBrowser(name: string, define: (open: OpenPanel) => void): void {
  const executablePath = findChromium();
  if (!executablePath && process.env.CI) {
    test(name, () => expect.fail(noChromium));
    return;
  }
  if (!executablePath) console.warn(`skipped: ${name} (${noChromium})`);
  describe.skipIf(!executablePath)(name, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium(executablePath as string);
    });
    afterAll(() => browser?.close());
    define((options = {}) => openPanel(browser, options));
  });
}

async function openPanel(browser: Browser, options: OpenOptions): Promise<OpenedPanel> {
  const server = options.server ?? (await startPanelServer(options.options));
  if (!options.server) onTestFinished(() => server.close());
  await options.before?.(server);
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    ...options.context,
  });
  if (options.init) await context.addInitScript(options.init);
  const complaints: string[] = [];
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    // A bus that is away on purpose is no fault of the page.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${server.url}/`) && !url.startsWith('data:')) complaints.push(`asked for ${url}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  await page.goto(`${server.url}/${options.hash ?? ''}`);
  await page.getByText('Live', { exact: true }).waitFor();
  return { page, server, complaints };
}

/** What is so after a while: browsers take longer than a second when the machine is busy. */
export function eventually<Value>(read: () => Value) {
  return expect.poll(read, { timeout: 15_000 });
}

/** A function for the browser, from its source: the types of the browser are not known among the tests. */
export function inBrowser(source: string): (element: unknown) => unknown {
  return new Function('element', `return (${source})(element)`) as (element: unknown) => unknown;
}
