import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toShownUrl } from '../../src/contract/base-url.ts';
import { commandFile } from '../build.ts';
import { createHome, type Home } from './machine.ts';

let home: Home;

beforeEach(() => {
  home = createHome();
});

afterEach(() => home.remove());

describe('a base URL without a path', () => {
  it('is tried with the usual one, and that is said', async () => {
    await home.run(['get-bus-status']);
    const BUS_MCP_BASE_URL = new URL(home.address()?.baseUrl ?? '').origin;
    const { status, errorOutput } = await home.run(['post-message', 't', 'b', '--sender', 'ada'], {
      BUS_MCP_BASE_URL,
    });
    expect(status).toBe(0);
    expect(errorOutput).toContain(`names no path, so calls go to ${BUS_MCP_BASE_URL}/api/bus`);
    const doctor = await home.run(['doctor'], { BUS_MCP_BASE_URL });
    expect(doctor.status).toBe(0);
    expect(doctor.output).toMatch(/warn +address +.*names no path/);
  });

  it('is taken as it is where a proxy has put a bus there', async () => {
    const server = createServer((request, response) => {
      const isMessages = request.url?.startsWith('/messages');
      response.writeHead(isMessages ? 200 : 404, { 'content-type': 'application/json' });
      response.end(isMessages ? '{"messages":[],"cursor":0,"has_more":false}' : '{"detail":"no such page"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const BUS_MCP_BASE_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { status, errorOutput } = await home.run(['read-messages', '--json'], { BUS_MCP_BASE_URL });
    server.close();
    expect({ status, errorOutput }).toEqual({ status: 0, errorOutput: '' });
  });
});

describe('the password in an address', () => {
  const addresses = [
    'http://ada:pa55word@127.0.0.1:9/api/bus',
    'http://ada:pa55word@127.0.0.1:99999/api/bus',
    'ada:pa55word@127.0.0.1',
    'http://ada:pa55,word@127.0.0.1:9',
    'http://127.0.0.1:x, htp://ada:pa55word@host',
  ];

  it.each(addresses)('is shown by no command: %s', async (BUS_MCP_BASE_URL) => {
    for (const words of [['get-bus-status'], ['get-bus-status', '--json'], ['doctor', '--json']]) {
      const { status, output, errorOutput } = await home.run(words, { BUS_MCP_BASE_URL });
      expect(status).toBeGreaterThan(0);
      expect(output + errorOutput).not.toMatch(/pa55|word@/);
    }
    expect(toShownUrl(BUS_MCP_BASE_URL)).not.toContain('pa55');
  });
});

describe('the doctor', () => {
  it('knows a suspended bus that listens at its port, and calls it no other program', async () => {
    const probe = createTcpServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const BUS_PORT = String((probe.address() as AddressInfo).port);
    await new Promise((resolve) => probe.close(resolve));
    await home.run(['get-bus-status'], { BUS_PORT });
    process.kill(home.buses()[0] as number, 'SIGSTOP');
    const { status, output } = await home.run(['doctor'], { BUS_PORT });
    expect(status).toBe(1);
    expect(output).toContain(`${BUS_PORT} is where the local bus listens`);
    expect(output).toMatch(/fail +process/);
    expect(output).not.toContain('another program');
    const elsewhere = await home.run(['doctor', '--store', join(home.folder, 'other.db')], { BUS_PORT });
    expect(elsewhere.output).toContain('perhaps a suspended bus');
  });
});

describe('a current folder that somebody has removed', () => {
  const commands = [
    ['backup', 'copy.db'],
    ['restore', 'copy.db'],
    ['export', '--output', 'all.jsonl'],
    ['import', 'all.jsonl'],
    ['copy', '--from', 'a.db', '--to', 'b.db'],
    ['setup', 'cursor', '--project'],
    ['get-bus-status', '--store', 'mine.db'],
    ['serve', '--store', 'mine.db'],
    ['doctor', '--store', 'mine.db'],
    ['--store', 'mine.db'],
    ['get-bus-status'],
    ['doctor'],
  ];

  it.each(commands.map((words) => [words.join(' '), words] as const))(
    'is named in words where it matters: %s',
    async (_, words) => {
      const gone = join(home.folder, 'gone');
      mkdirSync(gone);
      const script = 'rmdir "$PWD"; exec "$@"';
      const child = spawn('sh', ['-c', script, 'sh', process.execPath, commandFile, ...words], {
        cwd: gone,
        env: home.environment,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (part) => {
          text += part;
        });
      }
      const [status] = await once(child, 'close');
      expect(text).not.toMatch(/uv_cwd|ENOENT| {4}at /);
      if (status !== 0)
        expect(text).toMatch(/the current folder is gone: |must be|whole path|absolute|relative/);
    },
  );
});

describe('setup --project', () => {
  it('follows no link out of the project, neither of a folder nor of the file', async () => {
    const [project, outside] = [join(home.folder, 'project'), join(home.folder, 'outside')];
    mkdirSync(project);
    mkdirSync(outside);
    symlinkSync(outside, join(project, '.cursor'));
    writeFileSync(join(outside, 'own.json'), '{}');
    symlinkSync(join(outside, 'own.json'), join(project, '.mcp.json'));
    for (const client of ['cursor', 'claude-code']) {
      const words = [process.execPath, commandFile, 'setup', client, '--project'];
      const child = spawn(words[0] as string, words.slice(1), { cwd: project, env: home.environment });
      let text = '';
      child.stderr.on('data', (part) => {
        text += part;
      });
      const [status] = await once(child, 'close');
      expect(status).toBe(1);
      expect(text).toContain('is reached by a link that leads out of the project');
    }
    expect(readdirSync(outside)).toEqual(['own.json']);
    expect(readFileSync(join(outside, 'own.json'), 'utf8')).toBe('{}');
  });
});
