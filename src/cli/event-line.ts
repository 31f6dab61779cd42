import type { EventKind } from '../contract/events.ts';
import { type Row, toOtherFields, toRows, toText } from './rows.ts';
import { toClockTime } from './table.ts';
import { toVisible } from './visible.ts';

/** An event of the change feed as one short line: when, its id, what happened, and all else that it says. */
export function toEventLine(event: Row, now = new Date()): string {
  const id = event.id === undefined ? [] : [toText(event.id)];
  return [toClockTime(event.ts, now), ...id, toEventText(event, now)].join('  ');
}

/**
 * What each kind of event says. A name in braces is a field of the event, or of its message; what is not named follows
 * in parentheses.
 */
export const eventTexts: Readonly<Record<EventKind, string | ((event: Row, message: Row) => string)>> = {
  message_posted:
    'posted #{message.id} {message.topic} {message.sender}{message.action_flag}: {message.body}',
  flag_acknowledged: 'acknowledged #{message.id} {message.topic} by {message.acknowledged_by}',
  lane_claimed: 'claimed {lane} by {owner}',
  lane_stolen: 'stolen {lane} by {owner} from {previous_owner}',
  lane_released: ({ released_by }) =>
    released_by === undefined ? 'released {lane} by {owner}' : 'released {lane} of {owner} by {released_by}',
  lane_changed: 'changed {lane} by {owner}',
  agent_joined: 'joined {agent}',
  agent_left: 'left {agent}',
};

const bodyCharactersMax = 100;

function toEventText(event: Row, now: Date): string {
  const [message = {}] = toRows([event.message]);
  const known = (eventTexts as Readonly<Record<string, (typeof eventTexts)[EventKind]>>)[toText(event.kind)];
  const template = typeof known === 'function' ? known(event, message) : known;
  const told = ['id', 'kind', 'ts', 'message'];
  const text = (template ?? '{kind} {lane}{message.id}').replace(
    /\{(message\.)?(\w+)\}/g,
    (_, ofMessage: string | undefined, field: string) => {
      if (ofMessage === undefined) told.push(field);
      return toWord(field, (ofMessage === undefined ? event : message)[field]);
    },
  );
  const others = toOtherFields(event, told, now);
  return `${text.trimEnd()}${others.length === 0 ? '' : ` (${others.join(', ')})`}`;
}

function toWord(field: string, value: unknown): string {
  if (field === 'action_flag') return value === true ? ' ⚑' : '';
  return field === 'body' ? toExcerpt(value) : toText(value);
}

/** As much of the body as fits on a line. */
function toExcerpt(body: unknown): string {
  const characters = [...(typeof body === 'string' ? toVisible(body) : toText(body))];
  return characters.length > bodyCharactersMax
    ? `${characters.slice(0, bodyCharactersMax).join('')}…`
    : characters.join('');
}
