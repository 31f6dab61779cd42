import { effectOf } from './followed.ts';
import type { HeldLane } from './lanes.ts';
import type { BusEvent, Message, Waiter } from './rows.ts';

export type Agent = Readonly<{
  name: string;
  heardAt: number;
  holds: readonly string[];
  left: readonly string[];
  waits: readonly string[];
}>;

/** Who was heard from, when, holding what. Whoever only acknowledges is a person and is not listed. */
export function createAgents() {
  const heard = new Map<string, number>();

  function hear(name: string, timestamp: string): void {
    const at = Date.parse(timestamp);
    if (at > (heard.get(name) ?? 0)) heard.set(name, at);
  }

  function hearMessages(messages: readonly Message[]): void {
    for (const { sender, ts } of messages) hear(sender, ts);
  }

  function hearEvent(event: BusEvent): void {
    const name = effectOf(event).heard?.(event);
    if (name !== undefined) hear(name, event.ts);
  }

  function list(lanes: readonly HeldLane[], waiters: readonly Waiter[]): Agent[] {
    for (const { owner, heartbeat_at } of lanes) hear(owner, heartbeat_at);
    for (const { owner, since } of waiters) hear(owner, since);
    const agents = new Map(
      [...heard].map(([name, heardAt]) => [
        name,
        { name, heardAt, holds: [] as string[], left: [] as string[], waits: [] as string[] },
      ]),
    );
    for (const { owner, lane, isOrphaned } of lanes)
      agents.get(owner)?.[isOrphaned ? 'left' : 'holds'].push(lane);
    for (const { owner, lane } of waiters) agents.get(owner)?.waits.push(lane);
    return [...agents.values()].sort((a, b) => b.heardAt - a.heardAt || (a.name < b.name ? -1 : 1));
  }

  return { hearMessages, hearEvent, list, clear: () => heard.clear() };
}
