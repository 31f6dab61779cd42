import type { LaneEvent, Message } from '../../src/panel/browser/rows.ts';

/** What a bus might send, with its times counted in minutes from a noon. */
export const noon = Date.UTC(2026, 0, 2, 12);
export const at = (minutes: number) => new Date(noon + minutes * 60_000).toISOString();
export const minutes = (count: number) => noon + count * 60_000;
export const message = (id: number, more: Partial<Message> = {}): Message => ({
  id,
  topic: 'plan',
  sender: 'ada',
  body: `body ${id}`,
  action_flag: false,
  ts: at(id),
  ...more,
});
export const laneEvent = (id: number, kind: string, minute: number, more: object = {}): LaneEvent => ({
  id,
  kind,
  ts: at(minute),
  lane: 'feeds',
  owner: 'ada',
  fence: 1,
  ...more,
});
