// Who the session is, and how far this project has read.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The session that the client describes on standard input. Its agent id is BUS_MCP_AGENT_ID, which the MCP server goes
 * by too, else it is made of the session's own id.
 */
export async function readSession(client = 'agent') {
  const { session_id: sessionId, cwd } = await readInput();
  const named = process.env.BUS_MCP_AGENT_ID || undefined;
  const own = typeof sessionId === 'string' && /^[\w.:-]{1,150}$/.test(sessionId) ? sessionId : undefined;
  return {
    client,
    project: process.env.CLAUDE_PROJECT_DIR || (typeof cwd === 'string' ? cwd : process.cwd()),
    agentId: named ?? (own && `${client}:${own}`),
    isNamed: named !== undefined,
  };
}

/** The id of the last message that was shown to this project; nothing the first time. */
export function readCursor(session, baseUrl) {
  try {
    const { cursor } = JSON.parse(readFileSync(toCursorFile(session, baseUrl), 'utf8'));
    return Number.isSafeInteger(cursor) && cursor >= 0 ? cursor : undefined;
  } catch {
    return undefined;
  }
}

export function writeCursor(session, baseUrl, cursor) {
  const file = toCursorFile(session, baseUrl);
  mkdirSync(join(dataFolder(), 'hooks'), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify({ project: session.project, cursor })}\n`, {
    mode: 0o600,
  });
  renameSync(`${file}.${process.pid}`, file);
}

/** Where the local bus keeps its data, by the same rules as the bus itself. */
export function dataFolder() {
  const { env, platform } = process;
  const home = (platform === 'win32' ? env.USERPROFILE : env.HOME) || homedir();
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'bus-mcp');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'bus-mcp');
  const isGiven = env.XDG_DATA_HOME?.startsWith('/');
  return join(isGiven ? env.XDG_DATA_HOME : join(home, '.local', 'share'), 'bus-mcp');
}

/** Sessions come and go; what has been read belongs to the project, or to the agent where somebody named it. */
function toCursorFile({ agentId, client, isNamed, project }, baseUrl) {
  const reader = JSON.stringify([baseUrl, project, isNamed ? agentId : client]);
  return join(
    dataFolder(),
    'hooks',
    `${createHash('sha256').update(reader).digest('hex').slice(0, 24)}.json`,
  );
}

/** Ends with the object, not with the stream: a client may leave its end of it open. */
function readInput() {
  if (process.stdin.isTTY) return {};
  return new Promise((resolve) => {
    let text = '';
    const give = (value) => {
      clearTimeout(timer);
      process.stdin.destroy();
      resolve(value);
    };
    const timer = setTimeout(() => give({}), 200);
    process.stdin.setEncoding('utf8');
    process.stdin.on('error', () => give({}));
    process.stdin.on('end', () => give({}));
    process.stdin.on('data', (part) => {
      text += part;
      try {
        const value = JSON.parse(text);
        if (typeof value === 'object' && value !== null) give(value);
      } catch {
        // There is more to come.
      }
    });
  });
}
