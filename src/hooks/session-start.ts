// At the start of a session: tells the agent who it is on the bus, who holds what, and what was said since last time.
// Says nothing and succeeds when there is no bus. Called with the name of the client: claude-code or codex.
import { writeFileSync } from 'node:fs';
import { join } from './agent.ts';
import { endWithin, findBus } from './bus.ts';
import { toDigest } from './digest.ts';
import { readCursor, readSession, writeCursor } from './session.ts';

endWithin(800);
const bus = findBus();
const asked = bus.get('/status');
// A hook that fails before it looks at the status fails for its own reason.
asked.catch(() => {});
const session = await readSession(process.argv[2]);
const [status, agent] = await Promise.all([asked, join(bus, session)]);
const { shownUrl } = bus;
const cursor = readCursor(session, shownUrl);
const { text, lastMessageId } = toDigest({ status, agent, cursor, shownUrl });
const hookSpecificOutput = { hookEventName: 'SessionStart', additionalContext: text };
writeFileSync(1, `${JSON.stringify({ hookSpecificOutput })}\n`);
writeCursor(session, shownUrl, lastMessageId);
process.exit(0);
