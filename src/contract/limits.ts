/** Every limit of the bus, each with its unit in its name; the docs print them with these comments. */
export const limits = {
  /** Lane names match `laneNamePattern`; this is the length that it allows. More is `invalid_input`. */
  laneNameCharactersMax: 128,
  /** Owners, senders and whoever acknowledges. More is `invalid_input`. */
  agentIdCharactersMax: 200,
  /** The key by which a client names its session. More is `invalid_input`. */
  sessionKeyCharactersMax: 200,
  /** More is `invalid_input`. */
  clientNameCharactersMax: 100,
  /** The project that a session works in. More is `invalid_input`. */
  placeCharactersMax: 300,
  /** Sessions that an agent remembers. Of more, the one that joined first is forgotten, those that left before all others. */
  agentSessionsKeptMax: 16,
  /** An agent that was heard within so long is here. */
  agentHereSeconds: 300,
  /** Signs of life are written at most so often; a bus that is killed forgets those since then. */
  presenceKeptSeconds: 60,
  /** Agents whose signs of life wait to be written. Of more, those that were heard first are forgotten. */
  agentsHeardMax: 16_384,
  /** Agents that one write brings up to date, or that pruning removes at once. */
  agentsPerTurnMax: 500,
  /** Agents in the status. */
  statusAgentsMax: 100,
  /** Lanes that a list of agents shows for each of them. */
  agentLanesShownMax: 20,
  /** More is `invalid_input`. */
  topicCharactersMax: 200,
  /** More is `invalid_input`. */
  bodyCharactersMax: 65_536,
  /** A body: room for the largest message with every character written as a JSON escape. More is `too_large`. */
  requestBytesMax: 524_288,
  /** Objects and arrays within each other, in JSON that a caller sends. More is `invalid_input`. */
  jsonDepthMax: 64,
  /** More is `too_large`. */
  urlCharactersMax: 8_192,
  /** All headers of a request. More is `too_large`. */
  headerBytesMax: 16_384,
  /** Issues that `invalid_input` names one by one; of more it says how many there are. */
  inputIssuesShownMax: 20,
  /** Open connections. One more closes those that are idle, and else is answered `unavailable` and closed. */
  connectionsMax: 16_384,
  /** Requests that stand behind another one on the same connection. More are `too_many`. */
  requestsInLineMax: 32,
  /** Bodies that arrive or are worked on, together. For one more the slowest sender gives way, and else it is `unavailable`. */
  requestBytesHeldMax: 67_108_864,
  /** Bodies up to this are not counted there: as many as there are connections have room. */
  requestBytesSmall: 4_096,
  /** What readers have not taken of their answers yet, together. Beyond it reads are `unavailable`, and those who hold most are cut off. */
  answerBytesHeldMax: 134_217_728,
  /** How long the headers of a request may take to arrive; then the connection is closed with status 408. */
  headerSecondsMax: 10,
  /** The same for the whole request. A call that waits has arrived and is not bound by it. */
  requestSecondsMax: 30,
  /** A connection on which nobody asks anything is closed. */
  idleConnectionSecondsMax: 65,
  /** A reader who takes nothing of an answer for so long is cut off, after twice as long at the latest. */
  stalledReaderSecondsMax: 10,
  /** An event stream says at least so often that it is still there. */
  streamKeepAliveSeconds: 15,
  /** An event stream hints at most so often at what changed and is no event. */
  streamHintMilliseconds: 250,
  /** More is `invalid_input`. */
  idempotencyKeyCharactersMax: 200,
  /** For so long a repeated request gets its first answer. */
  idempotencyKeyKeptHours: 24,
  /** First answers kept. Beyond it the oldest go: refusing would let one caller stop the writes of all. */
  idempotencyKeysKeptMax: 1_000_000,
  /** What a holder says about its work, and what came of it. More is `invalid_input`. */
  noteCharactersMax: 500,
  /** Paths of one claim, and of one check. More are `invalid_input`. */
  pathsMax: 64,
  /** More is `invalid_input`. */
  pathCharactersMax: 256,
  /** Conflicts that `paths_held` names one by one. */
  conflictsShownMax: 20,
  /** What a claim without `lease_s` asks for. */
  leaseSecondsDefault: 300,
  /** What a claim with `keep_alive` and without `lease_s` asks for: a killed session blocks others no longer than this. */
  keptLeaseSecondsDefault: 60,
  /** A claim through the MCP server that waited longer may have been given up by its client, most of which wait a minute. Its lane is not kept alive until the session is heard again. */
  lateGrantSeconds: 50,
  /** Longer leases are granted as this; `BUS_MAX_LEASE_SECONDS` moves it. */
  leaseSecondsMaxDefault: 86_400,
  /** More is `invalid_input`. */
  waitSecondsMax: 300,
  /** Claims that wait for a lane. More are `too_many`. With the reads that wait they are fewer than the connections, so that whoever does not wait gets through. */
  waitersMax: 4_096,
  /** Claims of one owner that wait. More are `too_many`. */
  waitersPerOwnerMax: 64,
  /** Reads of messages and events that wait for news, streams among them. More are `too_many`. */
  waitingReadersMax: 8_192,
  /** Open live streams of the change feed. More are `too_many`. */
  eventStreamsMax: 1_024,
  /** Lanes that somebody holds or has left behind. A claim of one more is `too_many` until one is released. */
  lanesHeldMax: 131_072,
  /** After the bus was stopped, a lease that was live before is live for a third of it and so much more, or for all of it where that is less. */
  pauseGraceExtraSeconds: 15,
  /** Rows of a page without `limit`. */
  pageRowsDefault: 50,
  /** More is `invalid_input`. */
  pageRowsMax: 500,
  /** The bodies of a page as JSON, and of a list of messages in the status. It ends before they are more, after one row at least. */
  pageBytesMax: 2_097_152,
  /** Events that one call of prune goes through, so that no write waits long behind it. */
  pruneEventsMax: 500,
  /** Events that one dry run of prune goes through. Of more it says that there are more. */
  pruneDryRunEventsMax: 100_000,
  /** Newest messages in the status. */
  statusRecentMessagesMax: 20,
  /** Flags in the status; the counts beside the lists are not cut. */
  statusFlagsMax: 50,
  /** Lanes in the status that were released or done last. */
  statusRecentLanesMax: 20,
  /** Held lanes in the status, and orphaned ones. */
  statusLanesMax: 500,
  /** Waiters in the status. */
  statusWaitersMax: 500,
  /** While nothing changes, a status may be as old as this. */
  statusSharedMilliseconds: 25,
  /** Lanes whose rows the embedded store keeps in memory. */
  lanesCachedMax: 200_000,
  /** Open `subscriptions/listen` streams of the MCP server over HTTP. */
  mcpSubscribersMax: 1_024,
  /** Resources that one of them may be about. */
  mcpUrisPerSubscriberMax: 256,
  /** The bodies in the status that a tool answers, together. It shows whole messages, the newest first, as long as they fit. */
  toolStatusMessageCharactersMax: 4_000,
  /** The messages that a tool answers at once, as JSON; a longer page ends there. One message comes in any case. */
  toolPageCharactersMax: 60_000,
  /** Answers to reads that are kept ready until the next change. */
  sharedAnswersMax: 256,
  /** Larger ones are not. */
  sharedAnswerCharactersMax: 131_072,
  /** Writes that wait for a commit. More are `unavailable`. */
  turnsQueuedMax: 4_096,
  /** On a disk so slow that they would wait longer than this, fewer wait and the others are `unavailable`. */
  turnsQueuedSecondsMax: 0.5,
  /** Writes that share a commit. */
  turnsPerCommitMax: 1_024,
} as const;

/** One word that is safe in a path, a shell and a file name. */
export const laneNamePattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** Visible ASCII: what an HTTP header can carry unchanged. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,200}$/;
