import { createHash } from 'node:crypto';

/** One run of a client: the key under which the bus knows it, and the short name of the client. */
export type ClientSession = Readonly<{ session: string; client: string }>;

/** What a call to an MCP server says about where it comes from. */
export type CallOrigin = Readonly<{
  /** The call's own `_meta`. */
  meta?: Readonly<Record<string, unknown>> | undefined;
  /** `clientInfo.name`. */
  clientName?: string | undefined;
}>;

type Environment = Readonly<Record<string, string | undefined>>;

/** How a client says which of its sessions is meant: in the `_meta` of its calls, or in the environment that it gives. */
type Client = Readonly<{
  client: string;
  /** Part of the name that it gives itself. */
  names: RegExp;
  metaField?: string;
  variables?: readonly string[];
}>;

const clients: readonly Client[] = [
  { client: 'claude', names: /^claude/i, variables: ['CLAUDE_CODE_SESSION_ID'] },
  {
    client: 'codex',
    names: /^codex/i,
    metaField: 'threadId',
    variables: ['CODEX_THREAD_ID', 'CODEX_SESSION_ID'],
  },
  { client: 'opencode', names: /^opencode/i, metaField: 'sessionID' },
  { client: 'vscode', names: /^(visual studio code|vscode)/i, metaField: 'vscode.conversationId' },
  { client: 'cursor', names: /^cursor/i },
  { client: 'gemini', names: /^gemini/i },
];

/**
 * The session that a call to an MCP server belongs to: what the call says, else what the environment of the server says,
 * else the key that the server made when it started.
 *
 * The environment counts only in the words of the client that has called. One client may have been started from a shell
 * of another, and then its servers inherit the variables of both.
 */
export function toCallSession({
  origin: { meta = {}, clientName = '' },
  environment,
  ownKey,
}: Readonly<{ origin: CallOrigin; environment: Environment; ownKey: string }>): ClientSession {
  const caller = clients.find(({ names }) => names.test(clientName));
  const inCall = (caller ? [caller] : clients).find(({ metaField }) => isId(meta[metaField ?? '']));
  if (inCall) return toSession(inCall.client, String(meta[inCall.metaField ?? '']));
  const given = caller && readVariable(caller, environment);
  if (given !== undefined) return toSession(caller?.client ?? '', given);
  return toSession(caller?.client ?? toShortName(clientName), ownKey);
}

/** The session that a hook was told of by its client, which names itself as `claude-code` or `codex`. */
export function toHookSession(clientName: string, sessionId: string): ClientSession {
  const known = clients.find(({ names }) => names.test(clientName));
  return toSession(known?.client ?? toShortName(clientName), sessionId);
}

/** The sessions that a shell may belong to. There are two where one client was started from a shell of the other. */
export function listShellSessions(
  environment: Environment,
): readonly (ClientSession & { variable: string; value: string })[] {
  return clients.flatMap((client) => {
    const variable = client.variables?.find((name) => isId(environment[name]));
    if (variable === undefined) return [];
    const value = environment[variable] as string;
    return [{ ...toSession(client.client, value), variable, value }];
  });
}

/**
 * The id of a session on a bus that gives none: `claude-x3f9qd`. It is made of the key, so that the MCP server, the hooks
 * and the shell commands of a session agree without asking anybody.
 */
export function toOwnId({ session, client }: ClientSession): string {
  const digest = createHash('sha256').update(session).digest('hex').slice(0, 12);
  return `${client}-${Number.parseInt(digest, 16).toString(36).padStart(6, '0').slice(-6)}`;
}

const keyCharactersMax = 200;

function toSession(client: string, id: string): ClientSession {
  return { client, session: `${client}:${id}` };
}

function readVariable({ variables = [] }: Client, environment: Environment): string | undefined {
  return variables.map((name) => environment[name]).find(isId);
}

/** Longer than a key may be, or with signs that no client uses: then it says nothing. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) && value.length <= keyCharactersMax - 30;
}

/** What is left of a client's own name in an id. */
function toShortName(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 24)
    .replace(/^-+|-+$/g, '');
  return slug || 'agent';
}
