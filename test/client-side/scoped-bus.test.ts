import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { qualifyInput, toScopedBus } from '../../src/client-side/scoped-bus.ts';
import type { Bus } from '../../src/contract/contract.ts';
import { BusError } from '../../src/contract/errors.ts';
import { createFolder } from '../folder.ts';

const repository = 'github.com/acme/pocket';

function createProject() {
  const project = createFolder();
  execFileSync('git', ['init', '-q', project]);
  execFileSync('git', ['-C', project, 'remote', 'add', 'origin', 'git@github.com:acme/pocket.git']);
  return { project };
}

/** A bus of another version, as the client sees it. */
function answerWith(answer: (input: Record<string, unknown>) => unknown) {
  const asked: Record<string, unknown>[] = [];
  const claimLane = async (input: Record<string, unknown>) => {
    asked.push(input);
    return answer(input);
  };
  const bus = toScopedBus({ claimLane } as unknown as Bus, createProject());
  return { asked, claim: (input: object) => bus.claimLane(input as never) };
}

const given = { lane: 'parser', owner: 'ada', paths: [`${repository}/src/**`], note: 'rewriting' };
const granted = { ok: true, decision: 'claim', lane: { lane: 'parser', owner: 'ada' }, lease_s: 300 };

test('paths of a call become scopes, and what the bus refuses stays for it to refuse', () => {
  const surroundings = createProject();
  const input = qualifyInput({ paths: ['src', join(surroundings.project, 'src'), '', '!src'] }, surroundings);
  expect(input).toEqual({ paths: [`${repository}/src`, '', '!src'] });
  expect(qualifyInput({ path: './a.ts' }, surroundings)).toEqual({ path: `${repository}/a.ts` });
  expect(qualifyInput({ lane: 'parser' }, surroundings)).toEqual({ lane: 'parser' });
});

test('answers leave the repository of the project away, and only that', async () => {
  const paths = [`${repository}/src/**`, repository, 'github.com/acme/other/src', `${repository}-2/a`];
  const { claim } = answerWith(() => ({ ...granted, lane: { ...granted.lane, paths } }));
  const answer = (await claim(given)) as Record<string, unknown>;
  expect(answer).toEqual({
    ...granted,
    lane: { ...granted.lane, paths: ['src/**', '**', 'github.com/acme/other/src', `${repository}-2/a`] },
  });
});

test('a refusal leaves it away too, in the sentence and in the data', async () => {
  const conflict = {
    path: `${repository}/src/a.ts`,
    held_path: `${repository}/src/**`,
    lane: 'p',
    owner: 'eve',
  };
  const { claim } = answerWith(() => {
    const detail = `'${conflict.path}' (as '${conflict.held_path}') is held by 'eve'`;
    throw new BusError({ status: 409, code: 'paths_held', detail, data: { conflicts: [conflict] } });
  });
  await expect(claim(given)).rejects.toMatchObject({
    detail: "'src/a.ts' (as 'src/**') is held by 'eve'",
    data: { conflicts: [{ ...conflict, path: 'src/a.ts', held_path: 'src/**' }] },
  });
});

test.each([
  [
    'that names the field',
    { issues: [{ field: 'paths', message: 'is not known here (known: lane, owner)' }] },
    'invalid input',
  ],
  ['of another make', undefined, 'body.paths: Extra inputs are not permitted'],
])(
  'a bus %s, and does not know scopes, grants the lane alone and the answer says so',
  async (_, data, detail) => {
    const { asked, claim } = answerWith((input) => {
      if ('paths' in input) throw new BusError({ status: 422, detail, data });
      return granted;
    });
    const answer = (await claim(given)) as unknown as { note: string };
    expect(answer.note).toBe(
      'this bus is too old to know paths and note: the lane is yours, and no file is held with it',
    );
    expect(asked[1]).toEqual({ lane: 'parser', owner: 'ada' });
  },
);

test('a bus that passes over scopes without a word is told of, too', async () => {
  const { claim } = answerWith(() => granted);
  expect(await claim(given)).toMatchObject({ note: expect.stringContaining('no file is held') });
  expect(await claim({ lane: 'parser', owner: 'ada' })).toEqual(granted);
});

test('a path that the bus refuses is no reason to claim without it', async () => {
  const { asked, claim } = answerWith(() => {
    const data = { issues: [{ field: 'paths.0', message: 'must not contain ?' }] };
    throw new BusError({ status: 422, code: 'invalid_input', detail: 'invalid input', data });
  });
  await expect(claim(given)).rejects.toMatchObject({ status: 422 });
  expect(asked).toHaveLength(1);
});
