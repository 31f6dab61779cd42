import type { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import { toKebabCase } from './names.ts';

/** What repeating a call does: nothing at all, nothing more, or the same again. */
export type Effect = 'read' | 'idempotent' | 'append';

/** A way in at which operations are listed by name. Every operation is offered over HTTP and to the library. */
export type Door = 'mcp' | 'cli';

/** One thing that the bus can do, declared once; every door is a loop over these declarations. */
export type Operation = Readonly<{
  /** Title for people: menus of MCP clients, headings of the reference. */
  title: string;
  /** One sentence without a full stop, for help texts and tables. */
  summary: string;
  /** For agents: when to use it, and what to do on a conflict. Under 600 characters with the summary. */
  guidance: string;
  method: 'GET' | 'POST';
  /** Below the base path; `{field}` names an input field that travels in the path. */
  path: string;
  effect: Effect;
  input: z.ZodObject;
  output: z.ZodObject;
  /** The refusals of its own; `errorsOf` adds the ones that every operation can end in. */
  errors: readonly ErrorCode[];
  doors: readonly Door[];
  /** The field that says who is calling; doors that know their agent fill it in when it is left out. */
  agentField?: string;
  /** The field that says who reads. Doors that know their agent fill it in, and agents need not know of it. */
  readerField?: string;
  /** The field that says which person is calling: the command line fills in who is logged in. */
  personField?: string;
  /** Fields that the command line takes without a flag, in order. */
  positionalFields: readonly string[];
  /** What people type; present wherever `doors` has `cli`. */
  command?: CommandWords;
}>;

/** The words for an operation at the command line. Its long name (`claim-lane`) works too. */
type CommandWords = Readonly<{
  /** The one that help and documents use. */
  name: string;
  /** Words that people try first. They run nothing: the error names the command that is meant. */
  alsoTried: readonly string[];
}>;

const everyCall: readonly ErrorCode[] = [
  'invalid_input',
  'forbidden_origin',
  'not_found',
  'unavailable',
  'internal',
];
const everyWrite: readonly ErrorCode[] = ['unauthorized', 'too_large', 'idempotency_conflict'];

/** What people type to run it. */
export function toCommandName(name: string, { command }: Operation): string {
  return command?.name ?? toKebabCase(name);
}

/** Every code the operation can end in. */
export function errorsOf(operation: Operation): readonly ErrorCode[] {
  const common = operation.effect === 'read' ? everyCall : [...everyCall, ...everyWrite];
  return [...new Set([...operation.errors, ...common])];
}

/** Whether the operation changes what the bus keeps, so that the secret and idempotency keys apply to it. */
export function isWrite(operation: Operation): boolean {
  return operation.effect !== 'read';
}
