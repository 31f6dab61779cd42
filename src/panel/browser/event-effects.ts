import type { EventKind } from '../../contract/events.ts';
import type { BusEvent } from './rows.ts';

/** What the page makes of an event. */
export type EventEffect = Readonly<{
  /** The agent that is heard from. Whoever acknowledges, or clears an orphan, may be a person at this very page. */
  heard?: (event: BusEvent) => string | undefined;
  /** Somebody gets a lane, or gives it back: a mark of this shape in the timeline of the lane. */
  mark?: 'claim' | 'steal' | 'release';
  /** There is one message more. */
  isPost?: true;
}>;

/** Each kind of event has a line here. Of its message the page takes the version that comes with it, whatever the kind. */
export const eventEffects: Readonly<Record<EventKind, EventEffect>> = {
  message_posted: { isPost: true, heard: ({ message }) => message?.sender },
  flag_acknowledged: {},
  lane_claimed: { mark: 'claim', heard: ({ owner }) => owner },
  lane_stolen: { mark: 'steal', heard: ({ owner }) => owner },
  lane_released: {
    mark: 'release',
    heard: ({ owner, released_by }) => (released_by === undefined ? owner : undefined),
  },
  agent_joined: { heard: ({ agent }) => agent },
  agent_left: {},
};

/** A kind that a newer bus has added changes nothing that this page knows of. */
export function effectOf({ kind }: Readonly<{ kind: string }>): EventEffect {
  return (eventEffects as Readonly<Record<string, EventEffect>>)[kind] ?? {};
}
