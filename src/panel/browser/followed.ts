import type { EventKind } from '../../contract/events.ts';
import type { BusEvent, Message } from './rows.ts';

/** What the page follows: each kind of event, and the lists of messages in the status. */

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
  lane_changed: { heard: ({ owner }) => owner },
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

/** The lists of the status that hold messages of which something is so, and not simply the newest. */
export const messageLists = {
  pending_action_flags: {
    count: 'pending_action_flag_count',
    isListed: ({ action_flag, acknowledged_at }) => action_flag && acknowledged_at === undefined,
  },
} as const satisfies Record<string, MessageList>;

type MessageList = Readonly<{ count: string; isListed: (message: Message) => boolean }>;
