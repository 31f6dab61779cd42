import type { EventKind } from '../contract/events.ts';
import { type Row, toLeaseLength, toRows, toText } from './rows.ts';
import { toClockTime } from './table.ts';
import { toVisible } from './visible.ts';

/** An event of the change feed as one short line. */
export function toEventLine(event: Row, now = new Date()): string {
  return `${toClockTime(event.ts, now)}  ${toEventText(event)}`;
}

const bodyCharactersMax = 100;

/** What each kind of event says. A kind that a newer bus adds is printed with what it is about. */
export const eventTexts: Readonly<Record<EventKind, (event: Row, message: Row) => string>> = {
  message_posted: (_, { id, topic, sender, action_flag, body }) =>
    `posted #${toText(id)} ${toText(topic)} ${toText(sender)}${action_flag === true ? ' ⚑' : ''}: ${toExcerpt(body)}`,
  flag_acknowledged: (_, { id, topic, acknowledged_by }) =>
    `acknowledged #${toText(id)} ${toText(topic)} by ${toText(acknowledged_by)}`,
  lane_claimed: (event) => `claimed ${toText(event.lane)} by ${toText(event.owner)}${toTerms(event)}`,
  lane_stolen: (event) =>
    `stolen ${toText(event.lane)} by ${toText(event.owner)} from ${toText(event.previous_owner)}${toTerms(event)}`,
  lane_released: ({ lane, owner, released_by }) =>
    `released ${toText(lane)} by ${toText(released_by ?? owner)}`,
};

function toEventText(event: Row): string {
  const [message = {}] = toRows([event.message]);
  const known = eventTexts[event.kind as EventKind] as (typeof eventTexts)[EventKind] | undefined;
  return (
    known?.(event, message) ?? `${toText(event.kind)} ${toText(event.lane)}${toText(message.id)}`.trimEnd()
  );
}

function toTerms(event: Row): string {
  const terms = [
    ...(event.lease_s === undefined ? [] : [`lease ${toLeaseLength(event.lease_s)}`]),
    ...(event.fence === undefined ? [] : [`fence ${toText(event.fence)}`]),
  ];
  return terms.length === 0 ? '' : ` (${terms.join(', ')})`;
}

/** As much of the body as fits into a line. */
function toExcerpt(body: unknown): string {
  const characters = [...(typeof body === 'string' ? toVisible(body) : toText(body))];
  return characters.length > bodyCharactersMax
    ? `${characters.slice(0, bodyCharactersMax).join('')}…`
    : characters.join('');
}
