import { withoutByteOrderMark } from '../contract/byte-order-mark.ts';
import { isObject } from '../contract/json.ts';
import type { ToolCall } from './edits.ts';

/** What a hook prints, and the status that it ends with. */
export type HookAnswer = Readonly<{ stdout?: string; stderr?: string; exitCode: number }>;

/** What a client's hook tells of a call that it is about to make. */
export type HookCall = ToolCall &
  Readonly<{
    session?: string | undefined;
    folder?: string | undefined;
    /** Copilot CLI reads the hooks of VS Code too, and is told no in other words. */
    isOfCopilotCli: boolean;
  }>;

type Host = Readonly<{
  /** Stops the call, and shows the reason to the model. */
  toDenial: (reason: string) => HookAnswer;
  /** Says it and lets the call pass; absent where the client shows nothing of a call that passes. */
  toWarning?: (reason: string) => HookAnswer;
}>;

/**
 * How each client is told no. An answer in another client's form is ignored without a word and the edit goes on, so
 * these are kept apart. Nothing is ever printed for a call that may pass: saying "allow" would skip the person's own
 * prompt.
 */
export const hosts = {
  'claude-code': { toDenial: toClaudeDenial, toWarning: toClaudeContext },
  codex: { toDenial: toClaudeDenial, toWarning: toSystemMessage },
  vscode: { toDenial: toClaudeDenial, toWarning: toSystemMessage },
  gemini: { toDenial: (reason) => toJson({ decision: 'deny', reason }), toWarning: toSystemMessage },
  cursor: {
    toDenial: (reason) => toJson({ permission: 'deny', user_message: reason, agent_message: reason }),
  },
  // Its exit status 2 is only a warning.
  'copilot-cli': {
    toDenial: (reason) => toJson({ permissionDecision: 'deny', permissionDecisionReason: reason }),
  },
  // Its plugin throws what the script prints.
  opencode: { toDenial: (reason) => ({ stdout: reason, exitCode: 2 }) },
  windsurf: { toDenial: (reason) => ({ stderr: reason, exitCode: 2 }) },
  cline: { toDenial: (reason) => toJson({ cancel: true, errorMessage: reason }) },
} satisfies Record<string, Host>;

type HostName = keyof typeof hosts;

/** How that client is told; undefined for a name that is not known here. */
export function findHost(name: string): Host | undefined {
  return Object.hasOwn(hosts, name) ? hosts[name as HostName] : undefined;
}

function toClaudeDenial(reason: string): HookAnswer {
  return toJson({
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      permissionDecision: 'deny',
      permissionDecisionReason: reason,
    },
  });
}

function toClaudeContext(reason: string): HookAnswer {
  return toJson({ hookSpecificOutput: { hookEventName: 'PreToolUse', additionalContext: reason } });
}

function toSystemMessage(reason: string): HookAnswer {
  return toJson({ systemMessage: reason });
}

/**
 * Reads what a client sends to its hook. The forms overlap, so one reading serves all: a payload is understood by its
 * fields. Undefined for what is no object at all.
 */
export function parseHookCall(text: string): HookCall | undefined {
  const payload = parseObject(withoutByteOrderMark(text));
  if (!payload) return undefined;
  const nested = toObject(payload.preToolUse) ?? toObject(payload.tool_info) ?? {};
  const tool = toGivenText(
    payload.tool_name ?? payload.toolName ?? nested.toolName ?? payload.agent_action_name,
  );
  const given =
    payload.tool_input ?? payload.toolArgs ?? payload.args ?? nested.parameters ?? payload.tool_info;
  const input = toObject(given) ?? (typeof given === 'string' ? parseInput(given) : payload);
  return {
    tool,
    input,
    session: toGivenText(payload.session_id ?? payload.sessionId ?? payload.conversation_id),
    folder: toGivenText(payload.cwd),
    isOfCopilotCli: payload.toolName !== undefined && payload.tool_name === undefined,
  };
}

/** Arguments come as JSON text, or, of a tool for patches, as the patch itself. */
function parseInput(text: string): Readonly<Record<string, unknown>> {
  return parseObject(text) ?? { input: text };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    return toObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function toObject(value: unknown): Record<string, unknown> | undefined {
  return isObject(value) ? value : undefined;
}

function toGivenText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function toJson(answer: object): HookAnswer {
  return { stdout: JSON.stringify(answer), exitCode: 0 };
}
