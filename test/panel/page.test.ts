import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asksForPage } from '../../src/panel/page.ts';
import { type PanelServer, startPanelServer } from './server.ts';

const firefox = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe('what is served at the root', () => {
  let server: PanelServer;
  beforeAll(async () => {
    server = await startPanelServer();
  });
  afterAll(() => server.close());

  /** Unlike fetch, which adds headers of its own and unpacks what comes. */
  function get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') {
    return new Promise<Readonly<{ status: number; headers: Record<string, unknown>; body: Buffer }>>(
      (resolve, reject) => {
        request(`${server.url}${path}`, { method, headers }, async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk as Buffer);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          });
        })
          .on('error', reject)
          .end();
      },
    );
  }

  test('a browser gets the page, curl gets a summary', async () => {
    const page = await get('/', { accept: firefox });
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(page.body.toString()).toMatch(/^<!doctype html>/);
    for (const headers of [
      {},
      { accept: '*/*' },
      { accept: 'text/plain' },
      { accept: 'text/html;q=0, */*' },
    ]) {
      const summary = await get('/', headers as Record<string, string>);
      expect(summary.headers['content-type']).toBe('text/plain; charset=utf-8');
      expect(summary.headers.vary).toContain('Accept');
      expect(summary.body.toString()).toMatch(/^bus-mcp 1\.2\.3 · sqlite · up /);
    }
  });

  test.each([
    ['text/html', true],
    ['TEXT/HTML;q=0.5', true],
    ['application/json, application/xhtml+xml', true],
    ['text/html;q=0', false],
    ['text/html;q=0.0, */*', false],
    ['*/*', false],
    ['text/*', false],
    ['', false],
    [undefined, false],
  ])('whoever accepts %j asks for the page: %s', (accept, isAsked) => {
    expect(asksForPage(accept)).toBe(isAsked);
  });

  test('the first paint takes less than 100 KB over the wire, and less still when packed', async () => {
    for (const [encoding, bytesMax] of [
      ['identity', 100_000],
      ['gzip, br', 40_000],
    ] as const) {
      const page = await get('/', { accept: firefox, 'accept-encoding': encoding });
      const text = (encoding === 'identity' ? page.body : gunzipSync(page.body)).toString();
      const files = [...text.matchAll(/(?:src|href)="(panel\/[^"]+)"/g)].map(([, path]) => `/${path}`);
      expect(files).toHaveLength(2);
      const sent = await Promise.all(files.map((path) => get(path, { 'accept-encoding': encoding })));
      const total = sent.reduce((sum, { body }) => sum + body.length, page.body.length);
      expect(total).toBeGreaterThan(5_000);
      expect(total).toBeLessThan(bytesMax);
    }
  });

  test('nothing is inline, nothing comes from elsewhere, and the policy holds the browser to it', async () => {
    const { body, headers } = await get('/', { accept: firefox });
    const policy = Object.fromEntries(
      String(headers['content-security-policy'])
        .split('; ')
        .map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1).join(' ')]),
    );
    expect(policy).toMatchObject({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'connect-src': "'self'",
      'frame-ancestors': "'none'",
      'base-uri': "'none'",
      'require-trusted-types-for': "'script'",
    });
    expect(JSON.stringify(policy)).not.toMatch(/unsafe|https?:/);
    expect(body.toString()).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|https?:\/\//);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
  });

  test('files are named after their content and kept for good; others are not there', async () => {
    const page = await get('/', { accept: firefox });
    const path = /panel\/app-[0-9a-f]{12}\.js/.exec(page.body.toString())?.[0];
    const script = await get(`/${path}`);
    expect(script.status).toBe(200);
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(script.headers['cache-control']).toContain('immutable');
    expect(page.headers['cache-control']).toBe('no-cache');
    for (const other of ['/panel/app-000000000000.js', '/panel/..%2fbin.js', '/panel/'])
      expect((await get(other)).status).toBe(404);
  });

  test('HEAD is answered like GET, without the content', async () => {
    const whole = await get('/', { accept: firefox });
    const head = await get('/', { accept: firefox }, 'HEAD');
    expect(head.body).toHaveLength(0);
    expect(head.headers['content-length']).toBe(String(whole.body.length));
  });

  test('a page of another site is refused', async () => {
    expect((await get('/', { accept: firefox, host: 'evil.example' })).status).toBe(403);
    expect((await get('/', { accept: firefox, origin: 'http://evil.example' })).status).toBe(403);
  });

  test('the summary is short and shows at a glance who holds what, and no text of an agent moves the cursor', async () => {
    const { bus } = server;
    for (let count = 0; count < 30; count += 1) {
      await bus.claimLane({ lane: `lane-${count}`, owner: 'ada\u001b[2J\nroot', lease_s: 600 + count });
      await bus.postMessage({
        topic: 'ops',
        sender: 'bob',
        body: `\u001b[31m${'long '.repeat(2_000)}\r\nfake line`,
        action_flag: count % 2 === 0,
      });
    }
    const waiting = new AbortController();
    bus.claimLane({ lane: 'lane-0', owner: 'eve', wait_s: 60 }, { signal: waiting.signal }).catch(() => {});
    await expect.poll(async () => (await bus.getBusStatus({})).waiting.length).toBe(1);
    const text = (await get('/')).body.toString();
    waiting.abort();
    const lines = text.split('\n');
    expect(lines.length).toBeLessThan(45);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThan(160);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(lines).toContain('Lanes held (8 of 30)');
    expect(lines).toContain('Needs a person (8 of 15)');
    expect(lines).toContain('Left behind: none');
    expect(text).toMatch(
      / {2}lane-0 {2,}ada⟨U\+001B⟩\[2J⟨U\+000A⟩root {2,}\S+ \S+ left {2}fence 1 {2}1 waiting/,
    );
  });
});
