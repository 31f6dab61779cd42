import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createProgress } from '../../src/care/progress.ts';
import { loadDriver } from '../../src/store/sqlite/driver.ts';
import { startBus } from '../bus-process.ts';
import { createFolder } from '../folder.ts';
import { runCommand as run } from '../processes.ts';
import { postMany } from '../suite/ask.ts';
import { createScene } from './scene.ts';

describe('the commands as they ship', () => {
  test('back up while the bus runs, verify, and restore once it is stopped', async () => {
    const { folder, store, bus, environment } = await createScene(30);
    const file = join(folder, 'backup.db');
    const made = await run(['backup', file, '--json'], environment);
    expect(made).toMatchObject({ status: 0, errorOutput: '' });
    expect(JSON.parse(made.output)).toMatchObject({ ok: true, file, messages: 30, last_message_id: 30 });
    const again = await run(['backup', file], environment);
    expect(again).toMatchObject({ status: 1, errorOutput: expect.stringContaining('is there already') });

    const sound = await run(['verify'], environment);
    expect(sound.status).toBe(0);
    expect(sound.output).toMatch(/ok {2}messages {2}30 messages, ids 1 to 30\n/);

    await postMany(bus.client, 5);
    const early = await run(['restore', file], environment);
    expect(early).toMatchObject({ status: 1, errorOutput: expect.stringContaining('already has a bus') });
    await bus.end();
    const restored = await run(['restore', file], environment);
    expect(restored.status).toBe(0);
    expect(restored.output).toContain('the next one gets #36');
    expect(restored.output).toContain('5 messages came after the backup');
    const next = await startBus({ store });
    expect(await next.client.postMessage({ topic: 't', sender: 's', body: 'on' })).toMatchObject({ id: 36 });
  });

  test('prune in as many calls as it takes, while others are served', async () => {
    const { bus, environment } = await createScene(1_207);
    const { status, output, errorOutput } = await run(
      ['prune', '--keep', '100', '--json', '--progress'],
      environment,
    );
    expect(status).toBe(0);
    expect(JSON.parse(output)).toEqual({
      ok: true,
      pruned_messages: 1_107,
      pruned_events: 1_107,
      oldest_id: 1_108,
    });
    expect(errorOutput).toContain('pruning messages');
    expect((await bus.client.getBusStatus({}))._meta.message_count).toBe(100);
    const refused = await run(['read-messages', '--since-id', '7', '--json'], environment);
    expect(JSON.parse(refused.output).error).toMatchObject({
      code: 'cursor_expired',
      data: { oldest_id: 1_108 },
    });
    const none = await run(['prune', '--before', '30d'], environment);
    expect(none.output).toBe('pruned 0 messages and 0 events; the log begins at #1108\n');
  });

  test.each([
    [['prune'], 'say what may go'],
    [['prune', '--keep', '1', '--before', '1d'], 'cannot be used with'],
    [['prune', '--before', 'yesterday'], 'It must be a day'],
    [['prune', '--keep', '-1'], 'It must be a whole number'],
    [['export', '--format', 'xml'], 'Allowed choices are jsonl, csv'],
    [['copy', '--from', 'a.db'], "required option '--to <store>' not specified"],
    [['backup'], "missing required argument 'file'"],
  ])('are refused when used wrongly: %j', async (argv, hint) => {
    const { status, errorOutput } = await run(argv, { BUS_MCP_BASE_URL: 'http://127.0.0.1:1/api/bus' });
    expect({ status, errorOutput }).toEqual({ status: 2, errorOutput: expect.stringContaining(hint) });
  });

  test('say that backup and restore are for files', async () => {
    const environment = { BUS_STORE: 'postgres://ada:swordfish@127.0.0.1:1/bus' };
    for (const name of ['backup', 'restore']) {
      const { status, errorOutput } = await run([name, 'x.db'], environment);
      expect({ status, errorOutput }).toEqual({
        status: 2,
        errorOutput: expect.stringContaining('PostgreSQL'),
      });
      expect(errorOutput).not.toContain('swordfish');
    }
  });

  test('export to standard output or a file, and import what was exported', async () => {
    const { folder, environment } = await createScene(620);
    const file = join(folder, 'export.jsonl');
    const shown = await run(['export'], environment);
    const kept = await run(['export', '--output', file, '--json'], environment);
    expect(JSON.parse(kept.output)).toEqual({ ok: true, file, messages: 620, events: 620, lanes: 0 });
    const withoutTime = (text: string) => text.replace(/"exported_at":"[^"]+"/, '');
    expect(withoutTime(shown.output)).toBe(withoutTime(readFileSync(file, 'utf8')));
    const store = join(folder, 'new.db');
    const imported = await run(['import', file], { BUS_STORE: store });
    expect(imported).toMatchObject({
      status: 0,
      output: expect.stringContaining('imported 620 messages, 620 events'),
    });
    expect((await run(['verify', store, '--json'], {})).status).toBe(0);
  });

  test('leave no half of a file behind when the bus cannot be reached', async () => {
    const file = join(createFolder(), 'export.jsonl');
    const ran = await run(['export', '--output', file, '--base-url', 'http://127.0.0.1:1/api/bus'], {});
    expect(ran.status).toBe(3);
    expect(existsSync(file)).toBe(false);
  });

  test('copy a file, and exit with 1 where verify finds something wrong', async () => {
    const { folder, store, bus } = await createScene(3);
    await bus.end();
    const to = join(folder, 'copy.db');
    const copied = await run(['copy', '--from', store, '--to', to], {});
    expect(copied.output).toContain('copied 3 messages, 3 events, 0 lanes');
    const database = loadDriver().open(to);
    database.exec('DELETE FROM messages WHERE id = 2');
    database.close();
    const { status, output } = await run(['verify', to], {});
    expect(status).toBe(1);
    expect(output).toMatch(/FAIL {2}messages {2}message 2 is missing\n/);
  });
});

describe('progress', () => {
  function watch(isTerminal: boolean) {
    let [text, time] = ['', 0];
    const write = (more: string) => {
      text += more;
    };
    const progress = createProgress({ write, isTerminal, now: () => time });
    const pass = (milliseconds: number) => {
      time += milliseconds;
    };
    return { progress, pass, read: () => text };
  }

  test('is one line that changes on a terminal, not more often than a person can see', () => {
    const { progress, pass, read } = watch(true);
    progress.report('copying', 0, 1_000);
    progress.report('copying', 1, 1_000);
    pass(150);
    progress.report('copying', 500, 1_000);
    progress.end();
    expect(read()).toBe(
      `\r\u001b[Kcopying  ${'░'.repeat(24)} 0 %  0 of 1,000\r\u001b[Kcopying  ${'█'.repeat(12)}${'░'.repeat(12)} 50 %  500 of 1,000\r\u001b[K`,
    );
  });

  test('is a line now and then elsewhere, and one for each stage', () => {
    const { progress, pass, read } = watch(false);
    progress.report('copying', 1);
    pass(1_000);
    progress.report('copying', 2);
    pass(1_500);
    progress.report('copying', 3);
    progress.report('checking', 0);
    progress.end();
    expect(read()).toBe('copying  1\ncopying  3\nchecking  …\n');
  });
});
