import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toDefaultStorePath } from '../../src/cli/folders.ts';
import { toOwnId } from '../../src/client-side/session.ts';
import { writeAddress } from '../../src/daemon/address.ts';
import { toPlace } from '../../src/daemon/place.ts';
import { createFolder } from '../folder.ts';
import { ownSession, runHook, sessionId, startBus, startStranger, toMachine } from './stage.ts';

describe('the local bus', () => {
  const address = {
    processId: process.pid,
    version: '1.2.3',
    startedAt: '2026-01-02T03:04:05.000Z',
    startedBy: 'client',
    isSecretArmed: false,
    settings: {},
  } as const;

  it('is found by its address in the data folder, once it has proved that it is the one', async () => {
    const { bus, folder, port } = await startBus({ token: 'right' });
    await bus.claimLane({ lane: 'docs', owner: 'bob', lease_s: 60 });
    const store = toDefaultStorePath(toMachine(folder));
    const { addressFile } = toPlace({ store, dataFolder: dirname(store) });
    const baseUrl = `http://127.0.0.1:${port}/api/bus`;
    const find = (token: string, more: NodeJS.ProcessEnv = {}) => {
      writeAddress(addressFile, { ...address, baseUrl, token });
      return runHook('session-start.mjs', JSON.stringify({ session_id: sessionId }), {
        HOME: folder,
        ...more,
      });
    };
    expect((await find('right')).context).toContain('> docs: "bob"');
    expect((await find('right', { BUS_MCP_AUTOSTART: '0' })).context).toContain('> docs: "bob"');
    expect(await find('wrong')).toMatchObject({ status: 0, output: '' });
  });

  it('is sent no write before it has proved itself', async () => {
    const paths: string[] = [];
    const url = await startStranger(async (path) => {
      paths.push(path.split('?')[0] ?? '');
      if (path.startsWith('/identity')) await new Promise((resolve) => setTimeout(resolve, 200));
      return { proof: 'believe me', lanes: [{ lane: 'a', owner: toOwnId(ownSession) }] };
    });
    const folder = createFolder();
    const store = join(folder, 'bus.db');
    writeAddress(`${store}.address`, { ...address, baseUrl: `${url}/api/bus`, token: 'right' });
    await runHook('session-end.mjs', JSON.stringify({ session_id: sessionId }), {
      HOME: folder,
      BUS_STORE: store,
    });
    expect(paths.sort()).toEqual(['/identity']);
  });

  it('is the first of several that front one database', async () => {
    const { env, run } = await startBus();
    const BUS_MCP_BASE_URL = `${env.BUS_MCP_BASE_URL}, http://127.0.0.1:9/api/bus`;
    const { context } = await run('session-start.mjs', '{}', { BUS_MCP_BASE_URL });
    expect(context).toContain('Coordination bus');
  });

  it('of a named store is that one or none: nothing else is called where it does not run', async () => {
    const folder = createFolder();
    const calls = join(folder, 'calls');
    const observer = join(folder, 'observer.cjs');
    writeFileSync(
      observer,
      `const net = require('node:net'); const { connect } = net.Socket.prototype;
       net.Socket.prototype.connect = function (...given) {
         require('node:fs').appendFileSync(${JSON.stringify(calls)}, 'called\\n');
         return connect.apply(this, given);
       };`,
    );
    for (const script of ['session-start.mjs', 'session-end.mjs']) {
      const { status, output } = await runHook(script, JSON.stringify({ session_id: sessionId }), {
        HOME: folder,
        BUS_STORE: join(folder, 'mine.db'),
        BUS_MCP_AUTOSTART: '0',
        NODE_OPTIONS: `--require ${observer}`,
      });
      expect([status, output]).toEqual([0, '']);
    }
    expect(existsSync(calls)).toBe(false);
  });

  it('is found in an address without a path, and no password of the address reaches the model', async () => {
    const { port, run } = await startBus();
    const BUS_MCP_BASE_URL = `http://ada:pa55word@127.0.0.1:${port}`;
    const { context } = await run('session-start.mjs', '{}', { BUS_MCP_BASE_URL });
    expect(context).toContain(`Coordination bus (bus-mcp) at http://127.0.0.1:${port}/api/bus.`);
    expect(context).not.toContain('pa55word');
  });
});
