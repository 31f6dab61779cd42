// At the start of a session: tells the agent its id, who holds what, and what was said since last time. Says nothing
// and succeeds when there is no bus. The argument is the name of the client: claude-code or codex.
import { appendFileSync, writeFileSync } from 'node:fs';
import { type Answer, endWithin, findBus } from './bus.ts';
import { toDigest } from './digest.ts';
import { readCursor, readSession, type Session, writeCursor } from './session.ts';

endWithin(800);
const bus = findBus();
const [status, session] = await Promise.all([bus.get('/status'), readSession(process.argv[2])]);
report(status, session);
process.exit(0);

function report(status: Answer, session: Session): void {
  const { shownUrl } = bus;
  const cursor = readCursor(session, shownUrl);
  const { text, lastMessageId } = toDigest({ status, session, cursor, shownUrl });
  const hookSpecificOutput = { hookEventName: 'SessionStart', additionalContext: text };
  writeFileSync(1, `${JSON.stringify({ hookSpecificOutput })}\n`);
  writeCursor(session, shownUrl, lastMessageId);
  shareAgentId(session);
}

/** Commands in the agent's shell should use the same id. Claude Code provides a file for that. */
function shareAgentId({ agentId, isNamed }: Session): void {
  const { CLAUDE_ENV_FILE: file } = process.env;
  if (!file || isNamed || agentId === undefined) return;
  appendFileSync(file, `export BUS_MCP_AGENT_ID='${agentId.replaceAll("'", '')}'\n`);
}
