import { limits } from '../contract/limits.ts';
import type { AgentRow, NewEvent } from '../store/rows.ts';
import type { AgentSession } from '../store/schema.ts';
import { parseAgentId } from './agent-ids.ts';

/** Who is which agent: pure functions from what is, what is asked, and when. */

type Joining = Readonly<{
  session: string;
  client?: string | undefined;
  place?: string | undefined;
}>;

export type Joined = Readonly<{
  row: AgentRow;
  isNew: boolean;
  event?: NewEvent | undefined;
  forgotten: readonly string[];
}>;

/** The next number of a stem: above those that were given, and those that may have been in what was lost. */
export function decideNextNumber(last: number, floor: number): number {
  return Math.max(last, floor) + 1;
}

/** The number that an id takes from its stem, when somebody took it before its turn came. */
export function decideTaken(agent: string, last: number): number | undefined {
  const number = parseAgentId(agent)?.number;
  return number !== undefined && number > last ? number : undefined;
}

/** Adds the session to those of the agent. Nothing changes, and nothing is told, when it is there already. */
export function decideJoin(
  agent: string,
  known: AgentRow | undefined,
  joining: Joining,
  now: number,
): Joined {
  const before = known?.sessions ?? [];
  const mine = before.find(({ session }) => session === joining.session);
  if (known && mine && !isOver(mine) && known.leftAt === undefined)
    return { row: known, isNew: false, forgotten: [] };
  const { session, client = mine?.client, place = mine?.place } = joining;
  const all = [...before.filter((other) => other !== mine), { session, client, place, joinedAt: now }];
  const { kept, forgotten } = cutSessions(all);
  const row: AgentRow = {
    agent,
    client: client ?? known?.client,
    place: place ?? known?.place,
    joinedAt: known?.joinedAt ?? now,
    seenAt: now,
    sessions: kept,
  };
  const event: NewEvent = { kind: 'agent_joined', detail: { agent, client: row.client, place: row.place } };
  return { row, isNew: mine === undefined, event, forgotten: forgotten.map((other) => other.session) };
}

/** Ends the session. The agent has left with its last one. */
export function decideLeave(
  row: AgentRow,
  session: string,
  now: number,
): Readonly<{ row: AgentRow; hasLeft: boolean; event?: NewEvent | undefined }> {
  const sessions = row.sessions.map((other) =>
    other.session === session && !isOver(other) ? { ...other, leftAt: now } : other,
  );
  const hasLeft = sessions.every(isOver);
  if (!hasLeft) return { row: { ...row, sessions }, hasLeft };
  if (row.leftAt !== undefined) return { row, hasLeft };
  const event: NewEvent = { kind: 'agent_left', detail: { agent: row.agent } };
  return { row: { ...row, sessions, seenAt: now, leftAt: now }, hasLeft, event };
}

/** The other sessions that act under the same id now. */
export function othersIn({ sessions }: AgentRow, session: string): readonly AgentSession[] {
  return sessions.filter((other) => other.session !== session && !isOver(other));
}

/** The row of an agent that is heard: one that never joined is new with it. */
export function toHeard(row: AgentRow | undefined, agent: string, seenAt: number): AgentRow {
  if (!row) return { agent, joinedAt: seenAt, seenAt, sessions: [] };
  return seenAt > row.seenAt ? { ...row, seenAt } : row;
}

export type AgentState = 'here' | 'quiet' | 'left';

/** Presence is for people and agents to look at: no lane depends on it. */
export function stateOf({ seenAt, leftAt }: Pick<AgentRow, 'seenAt' | 'leftAt'>, now: number): AgentState {
  if (leftAt !== undefined && leftAt >= seenAt) return 'left';
  return now - seenAt < limits.agentHereSeconds * 1000 ? 'here' : 'quiet';
}

function isOver({ leftAt }: AgentSession): boolean {
  return leftAt !== undefined;
}

/** Sessions that ended are forgotten before those that may still be there. */
function cutSessions(all: readonly AgentSession[]) {
  const tooMany = all.length - limits.agentSessionsKeptMax;
  if (tooMany <= 0) return { kept: all, forgotten: [] };
  const forgotten = [...all.filter(isOver), ...all.filter((session) => !isOver(session))].slice(0, tooMany);
  return { kept: all.filter((session) => !forgotten.includes(session)), forgotten };
}
