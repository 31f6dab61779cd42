import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parseTypedTime } from '../../src/cli/typed-time.ts';
import { commandFile } from '../build.ts';
import { runCommand as run } from '../processes.ts';
import { postMany } from '../suite/ask.ts';
import { createScene } from './scene.ts';

const flag = { topic: 'deploy', sender: 'ada', body: 'look', action_flag: true };

describe('prune', () => {
  test('stops before a flag that nobody has acknowledged, and says what holds it back', async () => {
    const { bus, environment } = await createScene(3);
    await bus.client.postMessage(flag);
    await postMany(bus.client, 2);
    const held = await run(['prune', '--keep', '0'], environment);
    expect(held.output).toBe(
      '#4 is flagged and nobody has acknowledged it, so it stays, and so does all that came after it: ' +
        'acknowledge it (bus-mcp ack 4), or add --include-flags\n' +
        'pruned 3 messages and 3 events; the log begins at #4\n',
    );
    const all = await run(['prune', '--keep', '0', '--include-flags', '--json'], environment);
    expect(JSON.parse(all.output)).toMatchObject({ pruned_messages: 3, oldest_id: 7 });
  });

  test('says in a dry run what would go, and removes nothing', async () => {
    const { bus, environment } = await createScene(3);
    await bus.client.postMessage(flag);
    const said = await run(['prune', '--keep', '0', '--dry-run'], environment);
    expect(said.output).toContain('would prune 3 messages and 3 events; nothing was removed\n');
    const told = await run(['prune', '--keep', '0', '--dry-run', '--json'], environment);
    expect(JSON.parse(told.output)).toEqual({
      ok: true,
      dry_run: true,
      pruned_messages: 3,
      pruned_events: 3,
      oldest_id: 4,
      held_back_by: 4,
      has_more: false,
    });
    expect((await bus.client.getBusStatus({}))._meta.message_count).toBe(4);
  });

  test.runIf(hasTerminals())('asks at a terminal, and only yes means yes', async () => {
    const { bus, environment } = await createScene(3);
    const said = await typeAtTerminal(['prune', '--keep', '1'], 'n', environment);
    expect(said).toContain('this removes 2 messages and 2 events for good, all before #3. Go on? [y/N]');
    expect(said).toContain('nothing was removed');
    expect((await bus.client.getBusStatus({}))._meta.message_count).toBe(3);
    expect(await typeAtTerminal(['prune', '--keep', '1'], 'y', environment)).toContain('pruned 2 messages');
    expect((await bus.client.getBusStatus({}))._meta.message_count).toBe(1);
    const unasked = await typeAtTerminal(['prune', '--keep', '0', '--yes'], undefined, environment);
    expect(unasked).not.toContain('Go on?');
    expect(unasked).toContain('pruned 1 message');
  });
});

/** Whether the program is there that gives a command a terminal; the one of Linux takes these options. */
function hasTerminals(): boolean {
  const isThere = spawnSync('script', ['--version']).stdout?.includes('util-linux') === true;
  if (!isThere) console.warn('skipped: typing at a terminal, because there is no script of util-linux here');
  return isThere;
}

/** Runs the command at a terminal, types the line once it asks, and returns all that was shown. */
async function typeAtTerminal(
  argv: readonly string[],
  line: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const command = [process.execPath, commandFile, ...argv].join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: '/nowhere', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  for await (const chunk of child.stdout) {
    const hadAsked = shown.includes('Go on?');
    shown += chunk;
    if (!hadAsked && shown.includes('Go on?')) child.stdin.write(`${line}\n`);
  }
  return shown;
}

test('a time that a person types is a day, a moment, or an age, in the zone in which times are shown', () => {
  const zone = process.env.TZ;
  process.env.TZ = 'America/New_York';
  try {
    const now = new Date('2026-03-04T12:00:00Z');
    expect(parseTypedTime('2026-01-31', now)).toBe('2026-01-31T05:00:00.000Z');
    expect(parseTypedTime('2026-07-31', now)).toBe('2026-07-31T04:00:00.000Z');
    expect(parseTypedTime('2026-01-31 12:00', now)).toBe('2026-01-31T17:00:00.000Z');
    expect(parseTypedTime('2026-01-31T12:00:30', now)).toBe('2026-01-31T17:00:30.000Z');
    expect(parseTypedTime('2026-01-31T12:00:00+02:00', now)).toBe('2026-01-31T10:00:00.000Z');
    expect(parseTypedTime('2026-01-31T12:00:00Z', now)).toBe('2026-01-31T12:00:00.000Z');
    expect(parseTypedTime('30d', now)).toBe('2026-02-02T12:00:00.000Z');
    expect(parseTypedTime('90m', now)).toBe('2026-03-04T10:30:00.000Z');
    for (const text of ['yesterday', '2026-13-41', '2026-02-31', '2026-01-31 25:00', '', '5', '-1d'])
      expect(parseTypedTime(text, now), text).toBeUndefined();
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});
