import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bus, type Call, contract, operationNames } from '../../src/contract/contract.ts';
import { BusError } from '../../src/contract/errors.ts';
import type { Door } from './doors/door.ts';
import { features, type Rule, type Use } from './rule.ts';
import { openStage } from './stage.ts';
import { type StoreSource, stores } from './stores.ts';
import { subjects } from './subjects.ts';

/** Proves every rule that the door can be asked to keep, over every store, each on a bus of its own. */
export function runSuite(door: Door): void {
  for (const store of stores) {
    describe.concurrent(`${store.name} through ${door.name} (${toExtent(door)})`, () => {
      let source: StoreSource;
      beforeAll(async () => {
        source = await store.start();
      });
      afterAll(() => source.stop());

      for (const [subject, rules] of Object.entries(subjects)) {
        const offered = rules.filter((rule) => isOffered(rule, door));
        if (offered.length === 0) continue;
        describe(subject, () => {
          for (const rule of offered) test(rule.title, () => prove(rule, door, source));
        });
      }
    });
  }
}

export function isOffered({ uses }: Rule, door: Door): boolean {
  return uses.every(door.offers);
}

/** How much of the suite runs there, and what the rest would need. */
function toExtent(door: Door): string {
  const rules = Object.values(subjects).flat();
  const offered = rules.filter((rule) => isOffered(rule, door));
  const uses: readonly Use[] = [...operationNames, ...features];
  const missing = uses.filter((use) => !door.offers(use));
  const extent = `${offered.length} of ${rules.length} rules`;
  return missing.length > 0 ? `${extent}; not offered here: ${missing.join(', ')}` : extent;
}

async function prove(rule: Rule, door: Door, source: StoreSource): Promise<void> {
  const stage = await openStage(await source.freshLocation());
  try {
    const opened = await door.open(stage.engine);
    try {
      const { bus, seen } = observe(opened.bus);
      await rule.prove({ ...stage, bus });
      expect(seen(), 'the rule uses and meets what it declares').toEqual({
        uses: rule.uses.filter((use) => !unseen.includes(use)).toSorted(),
        refusals: rule.refusals.toSorted(),
      });
      await expectEventsToTell(stage.engine);
    } finally {
      await opened.close();
    }
  } finally {
    await stage.close();
  }
}

/**
 * The last event about a message shows the message as it is: whoever follows the feed knows what anybody else can read.
 * So an event that cannot tell what it did from its opposite fails here, and so does a change without an event.
 */
async function expectEventsToTell(engine: Bus): Promise<void> {
  const { events } = await engine.readEvents({ limit: 500 }).catch(() => ({ events: [] }));
  const last = new Map(events.flatMap(({ message }) => (message ? [[message.id, message] as const] : [])));
  const { messages } = await engine.readMessages({ limit: 500 }).catch(() => ({ messages: [] }));
  for (const message of messages)
    if (last.has(message.id)) expect(last.get(message.id), 'the last event tells it').toEqual(message);
}

/** What a rule needs of a door, and what does not show in its calls. */
const unseen: readonly Use[] = ['typedValues', 'strictInput', 'wholeStatus'];

/** Notes which operations are asked, with what, and how they are refused. */
function observe(bus: Bus) {
  const uses = new Set<Use>();
  const refusals = new Set<string | undefined>();
  const entries = operationNames.map((name) => [
    name,
    async (input: never, call?: Call) => {
      uses.add(name);
      if (call?.signal) uses.add('signal');
      if (call?.idempotencyKey !== undefined) uses.add('idempotencyKey');
      try {
        const answer = await bus[name](input, call);
        contract[name].output.parse(answer);
        return answer;
      } catch (error) {
        if (error instanceof BusError) refusals.add(error.code);
        throw error;
      }
    },
  ]);
  const seen = () => ({ uses: [...uses].sort(), refusals: [...refusals].sort() });
  return { bus: Object.fromEntries(entries) as Bus, seen };
}
