import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type RunningBus, startBus } from '../bus-process.ts';
import { ask, post } from '../http/fixtures.ts';
import { findChromium, noChromium } from '../panel/chromium.ts';

const executablePath = findChromium();
if (!executablePath && process.env.CI) test('a real browser', () => expect.fail(noChromium));
else if (!executablePath) console.warn(`skipped: a page of another site in a real browser (${noChromium})`);

/** A site of somebody else on this machine, as a page that was opened there. */
async function startSite(): Promise<number> {
  const server = createServer((_, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>A site</title><body>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const script = readFileSync(new URL('attack.js', import.meta.url), 'utf8').replace(/;\s*$/, '');

/** What a page got to see of the bus there, whatever it tried. */
function attack(page: Page, url: string): Promise<Record<string, unknown>> {
  return page.evaluate(`(${script})(${JSON.stringify(url)})`);
}

async function expectUntouched(bus: RunningBus): Promise<void> {
  const { json } = await ask(bus.port, 'GET', '/api/bus/status');
  expect(json).toMatchObject({ recent_messages: [{ body: 'SESAME' }], active_lanes: [], waiting: [] });
  const metrics = (await ask(bus.port, 'GET', '/metrics')).text;
  expect(metrics).toMatch(/bus_requests_total\{[^}]*status="403"/);
  expect(metrics).not.toMatch(/method="POST",route="\/(lanes|mcp|message)[^}]*status="200"\} ([2-9]|1\d)/);
}

describe.skipIf(!executablePath)('a page of another site in a real browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    browser = await chromium.launch({
      executablePath: executablePath as string,
      // A name of somebody else that leads to this machine: what a rebinding name server answers.
      args: ['--host-resolver-rules=MAP evil.test 127.0.0.1', '--disable-gpu', '--no-first-run', ...sandbox],
    });
  });
  afterAll(() => browser?.close());

  async function openBus(): Promise<RunningBus> {
    const bus = await startBus();
    await post(bus.port, '/api/bus/message', { topic: 't', sender: 's', body: 'SESAME' });
    return bus;
  }

  test('sees nothing and writes nothing, from another port and from another name', async () => {
    const bus = await openBus();
    const site = await startSite();
    for (const host of [`127.0.0.1:${site}`, `localhost:${site}`, `evil.test:${site}`]) {
      const page = await browser.newPage();
      await page.goto(`http://${host}/`);
      const found = await attack(page, bus.url);
      expect(JSON.stringify(found)).not.toContain('SESAME');
      for (const [what, outcome] of Object.entries(found)) {
        expect([host, what, outcome]).toEqual([host, what, expect.stringMatching(/^(blocked|opaque)$/)]);
      }
      // A form leaves the page, so it comes last.
      await page.setContent(`<form method="post" enctype="text/plain" action="${bus.url}/api/bus/message">
        <input name='{"topic":"t","sender":"form","body":"' value='"}'></form>`);
      await Promise.all([page.waitForNavigation(), page.evaluate('document.forms[0].submit()')]);
      expect(await page.textContent('body')).toContain('forbidden_origin');
      await page.close();
    }
    await expectUntouched(bus);
  }, 60_000);

  test('sees nothing and writes nothing when its name is bound to the address of the bus', async () => {
    const bus = await openBus();
    const page = await browser.newPage();
    const rebound = `http://evil.test:${bus.port}`;
    const answer = await page.goto(`${rebound}/`);
    expect(answer?.status()).toBe(403);
    // To the browser the bus is of the same origin now, so it shows the page what the bus says.
    const found = await attack(page, rebound);
    expect(JSON.stringify(found)).not.toContain('SESAME');
    for (const what of ['read', 'metrics', 'health', 'page', 'tools', 'write', 'plainWrite', 'claim']) {
      expect([what, found[what]]).toEqual([what, expect.stringContaining('forbidden_origin')]);
    }
    expect([found.stream, found.script, found.picture]).toEqual(['blocked', 'blocked', 'blocked']);
    await page.close();
    await expectUntouched(bus);
  }, 60_000);

  test('may link to the page of the bus, which shows and works as ever', async () => {
    const bus = await openBus();
    const site = await startSite();
    const page = await browser.newPage();
    await page.goto(`http://localhost:${site}/`);
    await page.setContent(`<a href="${bus.url}/">the bus</a>`);
    await page.click('a');
    await page.getByText('SESAME').first().waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.close();
  }, 60_000);
});
