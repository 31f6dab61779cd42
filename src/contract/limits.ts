/** Every limit of the bus, each with its unit in its name; the docs print this object. */
export const limits = {
  /** Lane names match `laneNamePattern`; this is the length that the pattern allows. */
  laneNameCharactersMax: 128,
  /** Owners, senders and whoever acknowledges. */
  agentIdCharactersMax: 200,
  topicCharactersMax: 200,
  bodyCharactersMax: 65_536,
  /** Room for the largest body with every character written as a JSON escape, and the rest of the request. */
  requestBytesMax: 524_288,
  urlCharactersMax: 8_192,
  headerBytesMax: 16_384,
  /** How long a request may take to arrive. A call that waits has arrived and is not bound by it. */
  headerSecondsMax: 10,
  requestSecondsMax: 30,
  idleConnectionSecondsMax: 65,
  /** A reader who takes nothing of an answer for so long is cut off. */
  stalledReaderSecondsMax: 10,
  /** An event stream says at least so often that it is still there. */
  streamKeepAliveSeconds: 15,
  idempotencyKeyCharactersMax: 200,
  idempotencyKeyKeptHours: 24,
  leaseSecondsDefault: 300,
  /** The ceiling that `BUS_MAX_LEASE_SECONDS` moves. */
  leaseSecondsMaxDefault: 86_400,
  waitSecondsMax: 300,
  /** A lease that ran out while the bus was stopped is live for so long afterwards, or as long as it was granted for. */
  pauseGraceSecondsMax: 15,
  pageRowsDefault: 50,
  pageRowsMax: 500,
  statusRecentMessagesMax: 20,
  statusFlagsMax: 50,
  statusLanesMax: 500,
  statusWaitersMax: 500,
  /** While nothing changes, a status may be as old as this. */
  statusSharedMilliseconds: 25,
  /** Lanes whose rows the embedded store keeps in memory. */
  lanesCachedMax: 200_000,
  /** Open `subscriptions/listen` streams of the MCP server over HTTP, and the resources that one may be about. */
  mcpSubscribersMax: 1_024,
  mcpUrisPerSubscriberMax: 256,
  /** Answers to reads that are kept ready until the next change. */
  sharedAnswersMax: 256,
  sharedAnswerCharactersMax: 131_072,
  /** Writes that wait for a commit; more are refused with `unavailable`. */
  turnsQueuedMax: 20_000,
  turnsPerCommitMax: 1_024,
} as const;

/** One word that is safe in a path, a shell and a file name. */
export const laneNamePattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Visible ASCII: what an HTTP header can carry unchanged. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,200}$/;
