import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { createFolder } from './folder.ts';

type Ran = Readonly<{ status: number | null; output: string; remarks: string }>;

async function run(command: readonly string[], cwd = process.cwd()): Promise<Ran> {
  const child = spawn(process.execPath, command, { cwd });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, remarks, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, output, remarks };
}

const soak = (...flags: readonly string[]) => run(['bench/soak.mjs', ...flags]);

/** Each store with what makes a bus over it answer before a commit would survive. */
const stores = [
  {
    name: 'SQLite',
    flags: [],
    mutant: [
      'src/store/sqlite/store.ts',
      'isWritten ? writer.commit(changes, turns.length) : undefined',
      'Promise.resolve(void (isWritten && writer.commit(changes, turns.length).catch(() => {})))',
    ],
    kills: '30',
  },
  {
    name: 'PostgreSQL, two buses, the database killed too',
    flags: ['--store', 'postgres'],
    mutant: [
      'src/store/postgres/connect.ts',
      `'on', false) WHERE current_setting('synchronous_commit') = 'off'`,
      `'off', false)`,
    ],
    kills: '20',
  },
] as const;

describe.each(stores)('buses that are killed under load, over $name', ({ flags, mutant, kills }) => {
  test('lose nothing that they acknowledged, grant no fence twice and no lane to two', async () => {
    const { status, output, remarks } = await soak('--kills', '12', ...flags);
    expect([status, remarks.match(/FAULT.*/s)?.[0]]).toEqual([0, undefined]);
    expect(output).toMatch(/^kills +1[2-9]$/m);
    expect(output).toMatch(/^acknowledged writes +[1-9]/m);
    expect(output).toMatch(/^lost +0$/m);
    expect(output).toMatch(/^integrity +ok, after every kill$/m);
  }, 180_000);

  test('would be noticed if they answered before a commit would survive', async () => {
    const [file, right, wrong] = mutant;
    const command = await buildMutant(file, right, wrong);
    const { status, remarks } = await soak('--kills', kills, '--command', command, ...flags);
    expect(status).toBe(1);
    expect(remarks).toContain('FAULT: ');
    expect(remarks).toContain(`Again: npm run soak -- --kills ${kills}`);
    rmSync(remarks.match(/lies in (\S+)/)?.[1] ?? '/nowhere', { recursive: true, force: true });
  }, 180_000);
});

describe('the soak', () => {
  test.each([
    ['--minutes', 'abc'],
    ['--kills', '0'],
    ['--seconds', ''],
  ])('refuses %s %s, instead of going on for ever', async (flag, value) => {
    const { status, remarks } = await soak(flag, value);
    expect(status).toBe(2);
    expect(remarks).toContain(`${flag} must be a number above 0, and is '${value}'`);
  });

  test('that is interrupted leaves no bus and no folder behind', async () => {
    const folder = createFolder();
    const child = spawn(process.execPath, ['bench/soak.mjs', '--kills', '500'], {
      env: { ...process.env, TMPDIR: folder },
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await new Promise((resolve) => child.stderr.once('data', resolve));
    expect(readdirSync(folder)).toHaveLength(1);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(readdirSync(folder)).toEqual([]);
    expect(existsSync(`node_modules/.cache/bus-mcp/soak-${child.pid}`)).toBe(false);
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(processes).not.toContain(`soak-${child.pid}/bin.js`);
  }, 60_000);
});

/** The command of a bus with one rule broken. */
async function buildMutant(file: string, right: string, wrong: string): Promise<string> {
  const folder = createFolder();
  for (const part of ['src', 'scripts', 'types', 'package.json', 'tsconfig.json'])
    cpSync(part, join(folder, part), { recursive: true });
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  const path = join(folder, file);
  const source = readFileSync(path, 'utf8');
  expect(source.split(right)).toHaveLength(2);
  writeFileSync(path, source.replace(right, wrong));
  expect(await run(['scripts/build.mjs', '--quiet'], folder)).toMatchObject({ status: 0 });
  return join(folder, 'dist', 'bin.js');
}

/** Untyped on purpose: it is a script's. */
const checks = await import(new URL('../bench/soak/checks.mjs', import.meta.url).href);

describe('what the soak checks after each kill', () => {
  const toMessage = (id: number, mark = `mark${id}`) => ({
    id,
    topic: 't',
    sender: 's',
    body: `${mark} text`,
    action_flag: false,
    ts: '2026-01-02T03:04:05.000Z',
  });
  const found = [1, 2, 3].map((id) => toMessage(id));
  const recordOf = (...messages: readonly { id: number }[]) => ({
    messages: new Map(messages.map((message) => [message.id, message])),
  });

  test('a log is right when it has every acknowledged message, and what was not answered once at most', () => {
    expect(checks.checkMessages(found, recordOf(toMessage(1), toMessage(3)), 1)).toEqual({
      faults: [],
      lost: 0,
    });
  });

  test.each([
    ['a lost message', found.slice(0, 2), 'message 3 was acknowledged and is lost'],
    ['a gap', [found[0], found[2]], 'after message 1 comes 3: a gap'],
    ['other content', [...found.slice(0, 2), { ...toMessage(3), topic: 'u' }], 'message 3 is not the one'],
    ['a message twice', [...found, toMessage(4, 'mark1')], 'message 4: what was asked once is there twice'],
  ])('of messages it names %s', (_, log, sentence) => {
    const { faults } = checks.checkMessages(log, recordOf(toMessage(3)), 1);
    expect(faults).toEqual([expect.stringContaining(sentence)]);
  });

  const second = (count: number) => new Date(1_000 * count).toISOString();
  const claimed = (id: number, fence: number, at: number, until: number, owner = 'ada') => ({
    id,
    kind: 'lane_claimed',
    lane: 'l',
    owner,
    fence,
    ts: second(at),
    expires_at: second(until),
  });
  const released = (id: number, fence: number, at: number) => ({
    id,
    kind: 'lane_released',
    lane: 'l',
    fence,
    ts: second(at),
  });

  test('of events it names a gap, and a fence that does not follow the one before', () => {
    expect(checks.checkEvents([claimed(1, 1, 0, 9), released(2, 1, 1), claimed(3, 2, 2, 9)], 1)).toEqual([]);
    expect(checks.checkEvents([claimed(1, 1, 0, 9), claimed(3, 2, 2, 9)], 1)).toEqual([
      'event 2 is 3: a gap',
    ]);
    expect(checks.checkEvents([claimed(1, 1, 0, 9), claimed(2, 1, 2, 9)], 1)).toEqual([
      'lane l: fence 1 was granted after 1',
    ]);
  });

  const answered = (
    key: string,
    fence: number,
    at: number,
    until: number,
    owner = 'ada',
    decision = 'claim',
  ) => ({
    action: { act: decision === 'heartbeat' ? 'heartbeat' : 'claim', owner },
    key,
    status: 200,
    answer: { decision, lane: { owner, fence, heartbeat_at: second(at), expires_at: second(until) } },
  });
  const faultsOf = (actions: readonly object[], events: readonly object[]) =>
    checks.checkLane({ lane: 'l', actions, events });

  test('of lanes it names two holders at a time, also when a renewal was forgotten', () => {
    const events = [claimed(1, 1, 0, 3), claimed(2, 2, 4, 9, 'bob')];
    expect(faultsOf([answered('a', 1, 0, 3), answered('b', 2, 4, 9, 'bob')], events)).toEqual([]);
    const renewed = answered('c', 1, 2, 5, 'ada', 'heartbeat');
    expect(faultsOf([answered('a', 1, 0, 3), renewed], events)).toEqual([
      expect.stringContaining('bob was granted fence 2 1000 ms before the lease of ada ended'),
    ]);
    const shortened = answered('d', 1, 2.5, 3.5, 'ada', 'heartbeat');
    expect(faultsOf([answered('a', 1, 0, 3), renewed, shortened], events)).toEqual([]);
    const freed = [claimed(1, 1, 0, 3), released(2, 1, 3), claimed(3, 2, 4, 9, 'bob')];
    expect(faultsOf([renewed], freed)).toEqual([]);
  });

  test('of lanes it names a fence granted twice, and one that the feed knows nothing of', () => {
    expect(faultsOf([answered('a', 1, 0, 3), answered('b', 1, 0, 3)], [claimed(1, 1, 0, 3)])).toEqual([
      'lane l: fence 1 was granted twice, by a and b',
    ]);
    expect(faultsOf([answered('a', 1, 0, 3)], [])).toEqual([
      "lane l: fence 1 was answered to ada and is nobody's in the feed",
    ]);
  });

  test('of repeated requests it names an answer that changed', () => {
    const request = { path: '/message', key: 'k', text: '{"id":1}' };
    expect(checks.checkRepeat(request, { status: 200, text: '{"id":1}' })).toEqual([]);
    expect(checks.checkRepeat(request, { status: 200, text: '{"id":2}' })).toHaveLength(1);
  });
});
