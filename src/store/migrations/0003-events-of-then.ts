import type { Migration } from './migration.ts';

/**
 * Events now store what was set in their message, instead of reading it from the message as it is now. A flag is
 * acknowledged only once, so for existing events the message still says what the event reported. An older bus would
 * write events without this data.
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
