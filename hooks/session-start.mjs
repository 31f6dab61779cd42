// At the start of a session: tells the agent who it is on the bus, who holds what, and what was said since last time.
// Says nothing and succeeds when there is no bus. Called with the name of the client: claude-code or codex.
import { appendFileSync, writeFileSync } from 'node:fs';
import { endWithin, findBus } from './bus.mjs';
import { toDigest } from './digest.mjs';
import { readCursor, readSession, writeCursor } from './session.mjs';

endWithin(800);
const bus = await findBus();
const [status, session] = await Promise.all([bus.get('/status'), readSession(process.argv[2])]);
const cursor = readCursor(session, bus.baseUrl);
const { text, lastMessageId } = toDigest({ status, session, cursor, baseUrl: bus.baseUrl });
const hookSpecificOutput = { hookEventName: 'SessionStart', additionalContext: text };
writeFileSync(1, `${JSON.stringify({ hookSpecificOutput })}\n`);
writeCursor(session, bus.baseUrl, lastMessageId);
shareAgentId(session);
process.exit(0);

/** Commands that the agent runs in its shell are to use the same id; Claude Code offers a file for that. */
function shareAgentId({ agentId, isNamed }) {
  const { CLAUDE_ENV_FILE: file } = process.env;
  if (!file || isNamed || agentId === undefined) return;
  appendFileSync(file, `export BUS_MCP_AGENT_ID='${agentId.replaceAll("'", '')}'\n`);
}
