import { limits } from '../contract/limits.ts';

/** What callers can grow on a server, and for how long they can hold it. */
export type Bounds = Readonly<{
  /** An idle event stream says so often that it is still there. */
  keepAliveSeconds: number;
  /** A reader who takes nothing of an answer for so long is cut off. */
  stalledReaderSecondsMax: number;
  connectionsMax: number;
  /** Requests of one connection that stand behind another one. */
  requestsInLineMax: number;
  /** Bodies that arrive or are worked on, together. */
  requestBytesHeldMax: number;
  /** What readers have not taken of their answers, together. */
  answerBytesHeldMax: number;
  eventStreamsMax: number;
}>;

export const standardBounds: Bounds = {
  ...limits,
  keepAliveSeconds: limits.streamKeepAliveSeconds,
};
