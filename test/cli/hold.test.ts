import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { toBusError } from '../../src/contract/errors.ts';
import { folder, held, hold, namesOf, nextFile, read } from './hold-run.ts';
import { toGrant, toLane } from './rows.ts';

describe('hold', () => {
  it('runs the command with the lane and the fence in its environment, and releases at its end', async () => {
    const file = nextFile();
    const run = hold([
      'feeds',
      '--owner',
      'ada',
      '--',
      'sh',
      '-c',
      `echo $BUS_LANE $BUS_FENCE $BUS_OWNER > ${file}`,
    ]);
    expect(await run.status).toBe(0);
    expect(read(file)).toBe('feeds 3 ada\n');
    expect(run.calls).toEqual([
      { name: 'getLane', input: { lane: 'feeds' } },
      { name: 'claimLane', input: { lane: 'feeds', owner: 'ada', lease_s: 60, wait_s: 0 } },
      { name: 'releaseLane', input: { lane: 'feeds', owner: 'ada', fence: 3 } },
    ]);
    expect(run.isClosed()).toBe(true);
    expect(run.signals.eventNames()).toEqual([]);
  });

  it.each([
    ['exit 7', 7],
    ['kill -KILL $$', 137],
    ['kill -TERM $$', 143],
  ])('ends with the status of the command: %s', async (command, status) => {
    const run = hold(['feeds', '--', 'sh', '-c', command]);
    expect(await run.status).toBe(status);
    expect(namesOf(run)).toContain('releaseLane');
  });

  it.each([
    ['no-such-command-at-all', 127],
    [folder, 126],
    ['', 126],
  ])('releases the lane when %j cannot be started', async (command, status) => {
    const run = hold(['feeds', '--', command]);
    expect(await run.status).toBe(status);
    expect(run.errorOutput()).toContain(`could not start '${command}'`);
    expect(namesOf(run)).toEqual(['claimLane', 'releaseLane']);
  });

  it('leaves the flags after -- to the command', async () => {
    const file = nextFile();
    const run = hold(['feeds', '--', 'sh', '-c', `echo "$@" > ${file}`, 'sh', '--port', '1', '--', '--json']);
    expect(await run.status).toBe(0);
    expect(read(file)).toBe('--port 1 -- --json\n');
  });

  it.each([
    [['feeds', 'true'], 'put -- between'],
    [['feeds', '--'], "missing required argument 'command'"],
    [['feeds', 'extra', '--', 'true'], 'put -- between'],
    [['../x', '--', 'true'], '<lane> must be letters'],
    [['feeds', '--lease', '0', '--', 'true'], '--lease must be at least 1'],
    [['feeds', '--wait', 'long', '--', 'true'], '--wait must be a duration'],
    [['feeds', '--wait-status', '256', '--', 'true'], '--wait-status must be a whole number from 0 to 255'],
    [['feeds', 'sh', '-c', 'true'], 'put -- between the lane and the command'],
    [['feeds', '--ownr', 'ada', '--', 'true'], 'Did you mean --owner?'],
  ])('refuses %j before it asks the bus', async (argv, sentence) => {
    const run = hold(argv);
    expect(await run.status).toBe(2);
    expect(run.errorOutput()).toContain(sentence);
    expect(run.calls).toEqual([]);
  });
});

describe('the owner of a hold', () => {
  it('is unique to the process, also when an agent id is set', async () => {
    const plain = hold(['feeds', '--', 'true']);
    await plain.status;
    expect(plain.calls[0]?.input.owner).toMatch(new RegExp(`^hold:.+:${process.pid}:[0-9a-f]{8}$`));
    const environment = { PATH: process.env.PATH, BUS_MCP_AGENT_ID: 'a'.repeat(200) };
    const named = hold(['feeds', '--', 'true'], { environment });
    await named.status;
    const owner = String(named.calls[0]?.input.owner);
    expect(owner).toMatch(new RegExp(`^a+:hold:${process.pid}:[0-9a-f]{8}$`));
    expect(owner).toHaveLength(200);
  });

  it('is another one for each run, also where host and process are called the same', async () => {
    const runs = [hold(['feeds', '--', 'true']), hold(['feeds', '--', 'true'])];
    await Promise.all(runs.map(({ status }) => status));
    expect(new Set(runs.map(({ calls }) => calls[0]?.input.owner)).size).toBe(2);
  });

  it('that was named and holds the lane already is refused, without a claim that would touch its lease', async () => {
    const getLane = () => ({ state: 'held', fence: 3, lane: toLane({ owner: 'bot' }), waiting: [] });
    const run = hold(['feeds', '--owner', 'bot', '--', 'true'], { script: { getLane } });
    expect(await run.status).toBe(75);
    expect(run.errorOutput()).toContain("lane 'feeds' is held by 'bot' already");
    expect(namesOf(run)).toEqual(['getLane']);
  });

  it.each([
    ['at once', 0],
    ['after a wait', 1],
  ])(
    'that was named is refused when the bus takes its claim for a renewal %s, and releases nothing',
    async (_, refusals) => {
      const file = nextFile();
      let asked = 0;
      const claimLane = (claim: Record<string, unknown>) => {
        asked += 1;
        if (asked <= refusals) throw held;
        return { ...toGrant(claim), decision: 'renew' };
      };
      const run = hold(['feeds', '--owner', 'bot', '--', 'touch', file], { script: { claimLane } });
      expect(await run.status).toBe(75);
      expect(run.errorOutput()).toContain('two runs of one owner cannot be told apart');
      expect(existsSync(file)).toBe(false);
      expect(namesOf(run)).not.toContain('releaseLane');
    },
  );

  it('that was named need not be asked for at a bus that does not know the question', async () => {
    const getLane = () => Promise.reject(toBusError('not_found', 'there is no such route', {}));
    expect(await hold(['feeds', '--owner', 'bot', '--', 'true'], { script: { getLane } }).status).toBe(0);
  });
});
