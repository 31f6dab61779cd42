import { limits } from '../contract/limits.ts';

/** Limits on what callers can use up on a server, and for how long. */
export type Bounds = Readonly<{
  /** How often an idle event stream sends a sign of life. */
  keepAliveSeconds: number;
  /** A reader that takes nothing for this long is disconnected. */
  stalledReaderSecondsMax: number;
  connectionsMax: number;
  /** Requests of one connection that wait behind another one. */
  requestsInLineMax: number;
  /** The total size of the bodies that are arriving or being handled. */
  requestBytesHeldMax: number;
  /** The total size of the responses that readers have not taken yet. */
  answerBytesHeldMax: number;
  eventStreamsMax: number;
}>;

export const standardBounds: Bounds = {
  ...limits,
  keepAliveSeconds: limits.streamKeepAliveSeconds,
};
