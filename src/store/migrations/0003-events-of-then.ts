import type { Migration } from './migration.ts';

/**
 * An event keeps what was set in its message, instead of reading it from the message as it is now. A flag is
 * acknowledged once, so what the message says is what the event told. An older bus would write events without it.
 */
export const eventsOfThen: Migration = {
  sqlite: `
UPDATE events SET detail = (
  SELECT json_object('acknowledgedBy', acknowledged_by, 'acknowledgedAt', acknowledged_at)
  FROM messages WHERE messages.id = events.message_id AND acknowledged_at IS NOT NULL
) WHERE kind = 'flag_acknowledged';
`,

  postgres: `
UPDATE events SET detail = json_build_object(
  'acknowledgedBy', messages.acknowledged_by, 'acknowledgedAt', messages.acknowledged_at
)::text
FROM messages
WHERE messages.id = events.message_id AND kind = 'flag_acknowledged' AND messages.acknowledged_at IS NOT NULL;
`,
  endsOlder: true,
};
