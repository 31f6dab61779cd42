import { randomUUID } from 'node:crypto';
import { createBus, type Engine } from '../../src/bus/bus.ts';
import type { Bus, Input } from '../../src/contract/contract.ts';
import type { LaneRow } from '../../src/store/rows.ts';
import type { Outcome, Store, View } from '../../src/store/store.ts';

/** A bus that breaks one rule, as one client of many sees it. */
export type Mutant = Readonly<{
  fault: string;
  /** Given the right bus and its store. */
  toBus: (bus: Bus, store: Store, client: number) => Bus;
}>;

export const mutants: readonly Mutant[] = [
  {
    fault: 'renews a lease that was stolen',
    toBus: (bus, store) => ({
      ...bus,
      heartbeatLane: (input) =>
        over(
          withLane(store, (row) => asIfHeldBy(input.owner, row)),
          (faulty) => faulty.heartbeatLane(input),
        ),
    }),
  },
  {
    fault: 'grants without reading who holds the lane',
    toBus: (bus, store) => ({
      ...bus,
      claimLane: (input) => over(withLane(store, withoutHold), (faulty) => faulty.claimLane(input)),
    }),
  },
  {
    fault: 'reads who holds the lane before its turn comes',
    toBus: (bus, store) => ({ ...bus, claimLane: (input) => claimOnEarlierRead(store, input) }),
  },
  {
    fault: 'does not raise the fence',
    toBus: (bus, store) => ({
      ...bus,
      claimLane: (input) => over(withOutcome(store, withFenceOfBefore), (faulty) => faulty.claimLane(input)),
    }),
  },
  {
    fault: 'goes by the clock of the caller',
    toBus: (_bus, store, client) =>
      createFaulty(withView(store, (view) => ({ ...view, now: view.now + client * 700 }))),
  },
  {
    fault: 'brings a lease back to life that ran out',
    toBus: (bus, store) => ({
      ...bus,
      heartbeatLane: (input) => over(withLane(store, withEndAfter), (faulty) => faulty.heartbeatLane(input)),
    }),
  },
  {
    fault: 'forgets after a pause that nobody could renew',
    toBus: (_bus, store) => createFaulty(withView(store, (view) => ({ ...view, pause: undefined }))),
  },
  {
    fault: 'gives the grace of a pause to leases that were over before it',
    toBus: (_bus, store) => createFaulty(withView(store, withLongerPause)),
  },
  {
    fault: 'releases a lane for anyone',
    toBus: (bus, store) => ({
      ...bus,
      releaseLane: (input) =>
        over(
          withLane(store, (row) => asIfHeldBy(input.owner, row)),
          (faulty) => faulty.releaseLane(input),
        ),
    }),
  },
  {
    fault: 'posts without asking for the fence',
    toBus: (bus) => ({
      ...bus,
      postMessage: ({ lane: _lane, fence: _fence, ...message }) => bus.postMessage(message),
    }),
  },
];

function createFaulty(store: Store): Engine {
  const settings = { leaseSecondsMax: 86_400, isSecretArmed: false, version: '', instance: randomUUID() };
  return createBus({ store, settings });
}

/** One call of a bus that exists for it alone. */
async function over<Answer>(store: Store, ask: (bus: Bus) => Promise<Answer>): Promise<Answer> {
  const bus = createFaulty(store);
  try {
    return await ask(bus);
  } finally {
    bus.close();
  }
}

/** The store, but its turns see something else than is there. */
function withView(store: Store, change: (view: View) => View): Store {
  return { ...store, take: (turn) => store.take({ ...turn, decide: (view) => turn.decide(change(view)) }) };
}

/** The store, but its turns see another lane than the one that they ask for. */
function withLane(
  store: Store,
  change: (row: LaneRow | undefined, now: number) => LaneRow | undefined,
): Store {
  return withView(store, (view) => {
    const find = ((kind, key) =>
      kind === 'lanes'
        ? change(view.find('lanes', key as string), view.now)
        : view.find(kind, key)) as View['find'];
    return { ...view, find };
  });
}

/** The store, but its turns keep and answer something else than was decided. */
function withOutcome(
  store: Store,
  change: <Answer>(outcome: Outcome<Answer>, view: View) => Outcome<Answer>,
): Store {
  return {
    ...store,
    take: (turn) => store.take({ ...turn, decide: (view) => change(turn.decide(view), view) }),
  };
}

async function claimOnEarlierRead(store: Store, input: Input<'claimLane'>) {
  const { row } = await store.readLane(input.lane);
  return over(
    withLane(store, () => row),
    (faulty) => faulty.claimLane(input),
  );
}

function asIfHeldBy(owner: string, row: LaneRow | undefined): LaneRow | undefined {
  return row?.hold && { ...row, hold: { ...row.hold, owner } };
}

function withoutHold(row: LaneRow | undefined): LaneRow | undefined {
  return row && { lane: row.lane, fence: row.fence };
}

function withEndAfter(row: LaneRow | undefined, now: number): LaneRow | undefined {
  if (!row?.hold) return row;
  return { ...row, hold: { ...row.hold, expiresAt: Math.max(row.hold.expiresAt, now + 1) } };
}

function withLongerPause(view: View): View {
  return { ...view, pause: view.pause && { ...view.pause, from: 0 } };
}

function withFenceOfBefore<Answer>(outcome: Outcome<Answer>, view: View): Outcome<Answer> {
  const [granted] = outcome.rows?.lanes ?? [];
  const before = granted && view.find('lanes', granted.lane);
  if (!before || 'refusal' in outcome) return outcome;
  const { fence } = before;
  const answer = outcome.answer as { lane: object } | undefined;
  return {
    ...outcome,
    rows: { ...outcome.rows, lanes: [{ ...granted, fence }] },
    answer: answer && ({ ...answer, lane: { ...answer.lane, fence } } as Answer),
  } as Outcome<Answer>;
}
