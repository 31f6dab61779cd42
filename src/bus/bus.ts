import { type Bus, type Call, contract, type OperationName, operationNames } from '../contract/contract.ts';
import { parseInput } from '../contract/input.ts';
import { limits } from '../contract/limits.ts';
import { isWrite, type Operation } from '../contract/operation.ts';
import type { Store } from '../store/store.ts';
import { createAgentHandlers } from './agent-handlers.ts';
import { createClaimHandlers } from './claims.ts';
import { createEventHandlers } from './events.ts';
import { createHeldLanes } from './held-lanes.ts';
import { createLeaseWatch } from './lease-watch.ts';
import { createMessageHandlers } from './messages.ts';
import type { BusSettings, EngineParts, Handlers } from './parts.ts';
import { createPresence, type Presence } from './presence.ts';
import { createPruneHandlers } from './prune.ts';
import { createQuietChanges } from './quiet-changes.ts';
import { createSeats } from './seats.ts';
import { createStatusHandlers } from './status.ts';
import { createWaiting } from './waiting.ts';

/** A bus in this process. Closing it ends every wait with `unavailable`; whoever opened the store closes it. */
export type Engine = Bus &
  Readonly<{
    /**
     * Calls back after a lane changed in a way that may have no event: a renewed lease, or a queue that grew or
     * shrank.
     */
    onQuietChange: (listener: () => void) => () => void;
    /** The number of reads that wait for a message or an event, including those of streams. */
    readersWaiting: () => number;
    close: () => void;
  }>;

export function createBus({ store, settings }: Readonly<{ store: Store; settings: BusSettings }>): Engine {
  const waiting = createWaiting(store.clock);
  const quiet = createQuietChanges(store);
  const leases = quiet.around(createLeaseWatch(store));
  const unsubscribe = store.subscribe(waiting.ring);
  const heldLanes = createHeldLanes(store);
  const unsubscribeRewind = store.onRewind?.(() => {
    heldLanes.recount();
    leases.touchAll();
    waiting.ringAll();
  });
  const { waitersMax, waitersPerOwnerMax: perOwnerMax, waitingReadersMax } = limits;
  const waiters = createSeats({ what: 'claims that wait', seatsMax: waitersMax, perOwnerMax });
  const readers = createSeats({ what: 'reads that wait', seatsMax: waitingReadersMax });
  let ticketCount = 0;
  const nextTicket = () => {
    ticketCount += 1;
    return `${settings.instance}-${ticketCount}`;
  };

  const presence = createPresence(store);
  const shared = { store, presence, waiting, leases, heldLanes, seats: { waiters, readers } };
  const parts: EngineParts = { ...shared, settings, nextTicket };
  const handlers: Handlers = {
    ...createMessageHandlers(parts),
    ...createClaimHandlers(parts),
    ...createAgentHandlers(parts),
    ...createStatusHandlers(parts),
    ...createEventHandlers(parts),
    ...createPruneHandlers(parts),
  };

  function close(): void {
    unsubscribe();
    unsubscribeRewind?.();
    heldLanes.close();
    leases.close();
    waiting.close();
  }

  return {
    ...toBus(handlers, presence),
    onQuietChange: quiet.subscribe,
    readersWaiting: readers.count,
    close,
  };
}

/** Checks the input of each call, and counts the call as a sign of life of the agent it names. */
function toBus(handlers: Handlers, presence: Presence): Bus {
  const guard = <Name extends OperationName>(name: Name) => {
    const handle = handlers[name] as Handlers[Name];
    const { agentField } = contract[name] as Operation;
    const isChange = isWrite(contract[name]);
    const operate = async (input: unknown, call: Call = {}) => {
      const parsed = parseInput(name, input);
      const agent = (parsed as Record<string, string | undefined>)[agentField ?? ''] ?? call.agent;
      if (agent !== undefined) presence.hear(agent, isChange);
      return handle(parsed, call);
    };
    return [name, operate] as const;
  };
  return Object.fromEntries(operationNames.map(guard)) as unknown as Bus;
}
