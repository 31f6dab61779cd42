import { type Row, toLeaseLength, toRows, toText } from './rows.ts';
import { toClockTime } from './table.ts';
import { toVisible } from './visible.ts';

/** An event of the change feed as one short line. */
export function toEventLine(event: Row, now = new Date()): string {
  return `${toClockTime(event.ts, now)}  ${toDeed(event)}`;
}

const bodyCharactersMax = 100;

function toDeed(event: Row): string {
  const [message = {}] = toRows([event.message]);
  const lane = toText(event.lane);
  switch (event.kind) {
    case 'message_posted':
      return `posted #${toText(message.id)} ${toText(message.topic)} ${toText(message.sender)}${
        message.action_flag === true ? ' ⚑' : ''
      }: ${toExcerpt(message.body)}`;
    case 'flag_acknowledged':
      return `acknowledged #${toText(message.id)} ${toText(message.topic)} by ${toText(message.acknowledged_by)}`;
    case 'lane_claimed':
      return `claimed ${lane} by ${toText(event.owner)}${toTerms(event)}`;
    case 'lane_stolen':
      return `stolen ${lane} by ${toText(event.owner)} from ${toText(event.previous_owner)}${toTerms(event)}`;
    case 'lane_released':
      return `released ${lane} by ${toText(event.released_by ?? event.owner)}`;
    default:
      return `${toText(event.kind)} ${lane}${toText(message.id)}`.trimEnd();
  }
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
