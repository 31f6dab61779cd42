import { z } from 'zod';
import { agentId, bodyText, laneName, topicName } from '../contract/fields.ts';
import { checkInput } from '../contract/input.ts';
import { copiedKinds } from '../store/schema.ts';
import { type ShownField, shownFieldsOf } from '../store/shown.ts';
import { countMax } from './check-bounds.ts';
import { toPlace } from './text-lines.ts';

/** What the API accepts in each field. An import must not bring in what the API would refuse. */
const count = z.int().min(0).max(countMax);
const rules = {
  ...Object.fromEntries(copiedKinds.flatMap(shownFieldsOf).flatMap(toRule)),
  last_message_id: count,
  last_event_id: count,
};

/** Whoever did something is an agent; other texts are of the kind that their names say. */
function toRule({ name, column }: ShownField): readonly (readonly [string, z.ZodType])[] {
  if (column.type === 'integer') return [[name, count]];
  if (/(^|_)(by|owner|sender)$/.test(name)) return [[name, agentId]];
  const named = { topic: topicName, body: bodyText, lane: laneName }[name];
  return named === undefined ? [] : [[name, named]];
}

const operation = { input: z.looseObject(rules).partial() };

/** What is wrong with the fields of a line, one sentence each. Absent fields are not checked here. */
export function findLineFaults(line: unknown): readonly string[] {
  if (typeof line !== 'object' || line === null || Array.isArray(line)) return ['must be a JSON object'];
  const result = checkInput(operation, line);
  return 'issues' in result
    ? result.issues.map(({ field, message }) => `has a wrong ${field}: it ${message}`)
    : [];
}

/** Collects what is wrong with the lines of a file. Names the first problems and counts the rest. */
export function createLineFaults(path: string) {
  const named: string[] = [];
  let count = 0;

  function add(lineNumber: number, faults: readonly string[]): void {
    count += 1;
    if (named.length < linesNamedMax) named.push(`${toPlace(path, lineNumber)} ${faults.join(', and ')}`);
  }

  /** Throws if anything was wrong. */
  function end(): void {
    if (count === 0) return;
    const more = count > named.length ? `; and ${count - named.length} more lines are wrong` : '';
    throw new Error(`${named.join('; ')}${more}: nothing was kept`);
  }

  return { add, any: () => count > 0, end };
}

const linesNamedMax = 20;
