import type { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import { toKebabCase } from './names.ts';

/** What repeating a call changes: nothing (`read`), nothing more (`idempotent`), or the same again (`append`). */
export type Effect = 'read' | 'idempotent' | 'append';

/** A door that lists operations by name. HTTP and the library offer every operation. */
export type Door = 'mcp' | 'cli';

/** One thing the bus can do, declared once. Every door is a loop over these declarations. */
export type Operation = Readonly<{
  /** A title for people: menus of MCP clients, headings of the reference. */
  title: string;
  /** One sentence without a full stop, for help texts and tables. */
  summary: string;
  /** For agents: when to use it, and what to do on a conflict. Under 600 characters with the summary. */
  guidance: string;
  method: 'GET' | 'POST';
  /** Relative to the base path. `{field}` stands for an input field. */
  path: string;
  effect: Effect;
  input: z.ZodObject;
  output: z.ZodObject;
  /** The operation's own refusals; `errorsOf` adds the ones that any operation can end in. */
  errors: readonly ErrorCode[];
  doors: readonly Door[];
  /** The field for the calling agent. Doors that know their agent fill it in when it is missing. */
  agentField?: string;
  /** The field that says who reads. Doors that know their agent fill it in, and agents need not know of it. */
  readerField?: string;
  /** The field that says which person is calling: the command line fills in who is logged in. */
  personField?: string;
  /** Fields that the command line takes without a flag, in order. */
  positionalFields: readonly string[];
  /** What people type; present whenever `doors` has `cli`. */
  command?: CommandWords;
}>;

/** The names of an operation on the command line. Its long name (`claim-lane`) works too. */
type CommandWords = Readonly<{
  /** The name in help and documents. */
  name: string;
  /** Words that people may try first. They do not run anything: the error names the right command. */
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

/** What people type to run the operation. */
export function toCommandName(name: string, { command }: Operation): string {
  return command?.name ?? toKebabCase(name);
}

/** Every code the operation can end in. */
export function errorsOf(operation: Operation): readonly ErrorCode[] {
  const common = operation.effect === 'read' ? everyCall : [...everyCall, ...everyWrite];
  return [...new Set([...operation.errors, ...common])];
}

/** Whether the operation changes stored data, so that the secret and idempotency keys apply. */
export function isWrite(operation: Operation): boolean {
  return operation.effect !== 'read';
}
