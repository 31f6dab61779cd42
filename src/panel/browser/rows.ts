import type { Output } from '../../contract/contract.ts';

/** What the bus sends, by the names that the page uses. */
export type Status = Output<'getBusStatus'>;
export type Lane = Status['active_lanes'][number];
export type LanePage = Output<'listLanes'>;
export type Waiter = Status['waiting'][number];
export type Message = Output<'postMessage'>;
export type MessagePage = Output<'readMessages'>;
export type BusEvent = Output<'readEvents'>['events'][number];
export type EventPage = Output<'readEvents'>;

/** An event of a lane, with the fields that every one of them carries. */
export type LaneEvent = BusEvent & Readonly<{ lane: string; owner: string; fence: number }>;

export function isLaneEvent(event: BusEvent): event is LaneEvent {
  return event.lane !== undefined && event.owner !== undefined && event.fence !== undefined;
}
