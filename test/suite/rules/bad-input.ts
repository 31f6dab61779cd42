import { expect } from 'vitest';
import type { Bus, OperationName } from '../../../src/contract/contract.ts';
import { limits } from '../../../src/contract/limits.ts';
import { toKebabCase } from '../../../src/contract/names.ts';
import { refusalOf } from '../ask.ts';
import { type Feature, type Rule, rule } from '../rule.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One field that does not fit, by the name of the operation, what is wrong, and the input that is wrong by it. */
type Misfit = readonly [name: OperationName, field: string, what: string, input: Fields];

const message: Fields = { topic: 'build', sender: 'ada', body: 'green' };
const held: Fields = { lane: 'feeds', owner: 'ada' };
const safeMax = Number.MAX_SAFE_INTEGER;

const laneNames: Readonly<Record<string, string>> = {
  'an empty': '',
  'a dotted': '..',
  'a slashed': 'a/b',
  'a blank in the': 'a b',
  'an accent in the': 'é',
  'a percent sign in the': '%61',
  'an overlong': 'x'.repeat(limits.laneNameCharactersMax + 1),
};

/** What text can say. */
const misfits: readonly Misfit[] = [
  ...Object.entries(laneNames).map(
    ([what, lane]): Misfit => ['claimLane', 'lane', `${what} name`, { ...held, lane }],
  ),
  ['releaseLane', 'lane', 'a dotted name', { ...held, lane: '..' }],
  ['heartbeatLane', 'lane', 'a dotted name', { ...held, lane: '..' }],
  ['getLane', 'lane', 'a dotted name', { lane: '..' }],
  ['claimLane', 'owner', 'an overlong text', { ...held, owner: 'x'.repeat(limits.agentIdCharactersMax + 1) }],
  ['claimLane', 'lease_s', 'nothing', { ...held, lease_s: 0 }],
  ['claimLane', 'lease_s', 'less than nothing', { ...held, lease_s: -1 }],
  ['claimLane', 'lease_s', 'a fraction', { ...held, lease_s: 1.5 }],
  ['claimLane', 'lease_s', 'a word', { ...held, lease_s: 'soon' }],
  ['claimLane', 'lease_s', 'a number that no longer counts by ones', { ...held, lease_s: safeMax + 1 }],
  ['claimLane', 'wait_s', 'less than nothing', { ...held, wait_s: -1 }],
  ['claimLane', 'wait_s', 'more than five minutes', { ...held, wait_s: limits.waitSecondsMax + 1 }],
  ['heartbeatLane', 'lease_s', 'nothing', { ...held, lease_s: 0 }],
  ['heartbeatLane', 'fence', 'less than nothing', { ...held, fence: -1 }],
  ['releaseLane', 'fence', 'a fraction', { ...held, fence: 0.5 }],
  ['postMessage', 'topic', 'an empty text', { ...message, topic: '' }],
  [
    'postMessage',
    'topic',
    'an overlong text',
    { ...message, topic: 'x'.repeat(limits.topicCharactersMax + 1) },
  ],
  [
    'postMessage',
    'sender',
    'an overlong text',
    { ...message, sender: 'x'.repeat(limits.agentIdCharactersMax + 1) },
  ],
  ['postMessage', 'body', 'an empty text', { ...message, body: '' }],
  ['postMessage', 'body', 'an overlong text', { ...message, body: 'x'.repeat(limits.bodyCharactersMax + 1) }],
  ['postMessage', 'body', 'a NUL', { ...message, body: 'a\u0000b' }],
  ['postMessage', 'fence', 'a lane without it', { ...message, lane: 'feeds' }],
  ['postMessage', 'fence', 'itself without a lane', { ...message, fence: 1 }],
  ['postMessage', 'lane', 'a dotted name', { ...message, lane: '..', fence: 1 }],
  ['postMessage', 'colour', 'a name nobody knows', { ...message, colour: 'red' }],
  ['postMessage', 'topic', 'nothing at all', { sender: 'ada' }],
  ['readMessages', 'limit', 'nothing', { limit: 0 }],
  ['readMessages', 'limit', 'more than a page', { limit: limits.pageRowsMax + 1 }],
  ['readMessages', 'since_id', 'less than nothing', { since_id: -1 }],
  ['readMessages', 'since_id', 'a word', { since_id: 'last' }],
  ['readMessages', 'since_id', 'a number that no longer counts by ones', { since_id: safeMax + 1 }],
  ['readMessages', 'before_id', 'nothing', { before_id: 0 }],
  ['readMessages', 'before_id', 'both directions at once', { since_id: 1, before_id: 2 }],
  ['readMessages', 'wait_s', 'waiting without a cursor', { wait_s: 5 }],
  ['readMessages', 'wait_s', 'more than five minutes', { since_id: 0, wait_s: limits.waitSecondsMax + 1 }],
  ['readMessages', 'colour', 'a name nobody knows', { colour: 'red' }],
  ['readMessages', 'constructor', 'a name that every object is born with', { constructor: 'x' }],
  ['listLanes', 'after', 'a dotted name', { after: '..' }],
  ['listLanes', 'limit', 'a fraction', { limit: 1.5 }],
  ['readEvents', 'since', 'less than nothing', { since: -1 }],
  ['readEvents', 'limit', 'more than a page', { limit: limits.pageRowsMax + 1 }],
  ['acknowledgeFlag', 'id', 'nothing', { id: 0, by: 'grace' }],
  ['acknowledgeFlag', 'by', 'an empty text', { id: 1, by: '' }],
];

/** What an MCP client may send and mean something else by: such a door leaves it out. */
const paddedMisfits: readonly Misfit[] = [
  ['claimLane', 'owner', 'an empty text', { ...held, owner: '' }],
  ['readMessages', 'topic', 'an empty text', { topic: '' }],
  ['getBusStatus', 'colour', 'a name nobody knows', { colour: 'red' }],
];

let nested: unknown = 'deep';
for (let depth = 0; depth < limits.jsonDepthMax - 10; depth += 1) nested = { nested };

/** What only typed values can say. */
const typedMisfits: readonly Misfit[] = [
  ['claimLane', 'owner', 'a number', { ...held, owner: 5 }],
  ['claimLane', 'owner', 'half of a surrogate pair', { ...held, owner: 'ada\ud83d' }],
  ['claimLane', 'owner', 'a NUL', { ...held, owner: 'ada\u0000' }],
  ['postMessage', 'topic', 'a list', { ...message, topic: ['build'] }],
  ['postMessage', 'topic', 'half of a surrogate pair', { ...message, topic: '\ude80' }],
  ['postMessage', 'body', 'an object nested deeply', { ...message, body: nested }],
  ['postMessage', 'action_flag', 'a word', { ...message, action_flag: 'yes' }],
  ['postMessage', 'action_flag', 'a number', { ...message, action_flag: 1 }],
  ['readMessages', 'limit', 'true', { limit: true }],
  ['readMessages', 'topic', 'half of a surrogate pair', { topic: '\ud83d' }],
  ['readMessages', 'topic', 'a NUL', { topic: 'a\u0000' }],
];

/** The same of typed values. */
const looseMisfits: readonly Misfit[] = [
  ['claimLane', 'lease_s', 'digits in a text', { ...held, lease_s: '300' }],
  ['claimLane', 'owner', 'null', { ...held, owner: null }],
  ['readMessages', 'since_id', 'digits in a text', { since_id: '5' }],
];

/** A wish for a lane, and the name that everybody who has this wish is told to use. */
const laneWishes: readonly (readonly [wish: string, name: string])[] = [
  ['feature/login', 'feature-login'],
  ['src/auth/login.ts', 'src-auth-login.ts'],
  ['.env', 'env'],
  ['feature/JIRA-1', 'feature-JIRA-1'],
];

export const badInput: readonly Rule[] = [
  ...misfits.map((misfit) => refuses(misfit, [])),
  ...paddedMisfits.map((misfit) => refuses(misfit, ['strictInput'])),
  ...typedMisfits.map((misfit) => refuses(misfit, ['typedValues'])),
  ...looseMisfits.map((misfit) => refuses(misfit, ['typedValues', 'strictInput'])),
  ...laneWishes.map(([wish, name]) => proposes(wish, name)),
];

function proposes(wish: string, name: string): Rule {
  return rule(
    `proposes ${name} to whoever wants a lane called ${wish}`,
    { uses: ['claimLane'], refusals: ['invalid_input'] },
    async ({ bus, engine }) => {
      const { detail } = await refusalOf(bus.claimLane({ lane: wish, owner: 'ada' }));
      expect(detail).toContain(`letters, digits, '.', '_', ':', '-'`);
      expect(detail).toContain(`; try '${name}'`);
      expect(await engine.claimLane({ lane: name, owner: 'ada' })).toMatchObject({ decision: 'claim' });
    },
  );
}

function refuses([name, field, what, input]: Misfit, features: readonly Feature[]): Rule {
  return rule(
    `refuses ${what} as ${field} of ${toKebabCase(name)}, and names the field`,
    { uses: [name, ...features], refusals: ['invalid_input'] },
    async ({ bus, kept }) => {
      const before = await kept();
      const operate = (bus as Bus)[name] as (input: Fields) => Promise<unknown>;
      const { status, code, detail, data } = await refusalOf(operate(input));
      expect([status, code]).toEqual([422, 'invalid_input']);
      // The command line calls a field by its flag.
      expect(detail.replaceAll('-', '_')).toContain(field);
      if (features.includes('typedValues'))
        expect(data?.issues).toEqual([{ field, message: expect.any(String) }]);
      expect(await kept()).toEqual(before);
    },
  );
}
