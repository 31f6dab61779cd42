import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toDefaultStorePath } from '../cli/folders.ts';
import { type ClientSession, toHookSession } from '../client-side/session.ts';
import { readInput } from './input.ts';

/** Identifies the session. */
export type Session = Readonly<{
  client: string;
  project: string;
  /** The key under which its MCP server and its shell commands join too; nothing when the client does not say it. */
  key: ClientSession | undefined;
  /** The id that somebody chose for it. */
  named: string | undefined;
}>;

/** The session that the client describes on standard input. */
export async function readSession(client = 'agent'): Promise<Session> {
  const { session_id: sessionId, cwd } = await readPayload();
  const own = typeof sessionId === 'string' && /^[\w.:-]{1,150}$/.test(sessionId) ? sessionId : undefined;
  return {
    client,
    project: process.env.CLAUDE_PROJECT_DIR || (typeof cwd === 'string' ? cwd : process.cwd()),
    key: own === undefined ? undefined : toHookSession(client, own),
    named: process.env.BUS_MCP_AGENT_ID || undefined,
  };
}

/** The id of the last message that was shown to this project; undefined the first time. */
export function readCursor(session: Session, url: string): number | undefined {
  try {
    const { cursor } = JSON.parse(readFileSync(toCursorFile(session, url), 'utf8'));
    return Number.isSafeInteger(cursor) && cursor >= 0 ? cursor : undefined;
  } catch {
    return undefined;
  }
}

export function writeCursor(session: Session, url: string, cursor: number): void {
  const file = toCursorFile(session, url);
  const draft = `${file}.${process.pid}`;
  const text = `${JSON.stringify({ project: session.project, cursor })}\n`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}

/** Where the local bus keeps its data. */
export function dataFolder(): string {
  const { env: environment, platform } = process;
  return dirname(toDefaultStorePath({ environment, platform }));
}

/** Sessions come and go; what has been read belongs to the project, or to the agent where somebody named it. */
function toCursorFile({ client, named, project }: Session, url: string): string {
  const reader = JSON.stringify([url, project, named ?? client]);
  const name = createHash('sha256').update(reader).digest('hex').slice(0, 24);
  return join(dataFolder(), 'hooks', `${name}.json`);
}

async function readPayload(): Promise<Record<string, unknown>> {
  const text = await readInput(200);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}
