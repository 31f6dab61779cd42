import { type Bus, type Call, operationNames } from '../contract/contract.ts';
import { BusError } from '../contract/errors.ts';
import { findRepository, qualifyPath, type Surroundings, shortenScope } from './qualify.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * The paths of a call as scopes, however they are written. Doors do this before they check the input, because what a
 * person writes, such as `../lib` or an absolute path, is no scope yet.
 */
export function qualifyInput(input: Fields, surroundings: Surroundings): Record<string, unknown> {
  const qualify = (written: unknown) => (isPath(written) ? qualifyPath(written, surroundings) : written);
  const { path, paths } = input;
  return {
    ...input,
    ...(path !== undefined && { path: qualify(path) }),
    ...(Array.isArray(paths) && { paths: [...new Set(paths.map(qualify))] }),
  };
}

/** What the bus refuses stays as it is, for the bus to refuse: the empty text would become the whole project. */
function isPath(written: unknown): written is string {
  return typeof written === 'string' && written !== '' && !written.startsWith('!');
}

/**
 * The same bus, as somebody in this project sees it: answers and refusals leave the project's own repository away. A bus
 * that is too old to know scopes grants the lane alone, and the answer says so.
 */
export function toScopedBus<Given extends Bus>(bus: Given, surroundings: Surroundings): Given {
  let found: Readonly<{ repository: string | undefined }> | undefined;
  const toShort = (scope: string) => {
    found ??= { repository: findRepository(surroundings) };
    return shortenScope(scope, found.repository);
  };
  const operations = operationNames.map((name) => [
    name,
    async (input: Fields, call?: Call) => {
      const operate = bus[name] as (input: Fields, call?: Call) => Promise<Fields>;
      try {
        return shorten(await operateOnAny(operate, input, call), toShort);
      } catch (error) {
        throw error instanceof BusError && error.data ? shortenRefusal(error, toShort) : error;
      }
    },
  ]);
  return { ...bus, ...Object.fromEntries(operations) };
}

/** Without them a call means the same, for a bus that does not know them. */
const laterFields = ['paths', 'note'] as const;

async function operateOnAny(
  operate: (input: Fields, call?: Call) => Promise<Fields>,
  input: Fields,
  call: Call | undefined,
): Promise<Fields> {
  const later = laterFields.filter((field) => input[field] !== undefined);
  if (later.length === 0 || input.lane === undefined) return operate(input, call);
  try {
    const answer = await operate(input, call);
    const isIgnored = later.includes('paths') && isObject(answer.lane) && answer.lane.paths === undefined;
    return isIgnored && (input.paths as readonly string[]).length > 0 ? withNote(answer, ['paths']) : answer;
  } catch (error) {
    const unknown = later.filter((field) => isUnknownField(error, field));
    if (unknown.length === 0) throw error;
    // Such a bus names one of the two at times; it knows neither.
    const known = Object.fromEntries(
      Object.entries(input).filter(([field]) => !later.some((name) => name === field)),
    );
    return withNote(await operate(known, call), later);
  }
}

function withNote(answer: Fields, fields: readonly string[]): Fields {
  const isUnguarded = fields.includes('paths');
  const rest = isUnguarded ? ': the lane is yours, and no file is held with it' : '';
  return { ...answer, note: `this bus is too old to know ${fields.join(' and ')}${rest}` };
}

/** Buses of this make name the field that they do not know; those made with other tools say it in their own words. */
function isUnknownField(error: unknown, field: string): boolean {
  if (!(error instanceof BusError) || error.status !== 422) return false;
  const issues = error.data?.issues;
  if (Array.isArray(issues))
    return issues.some((issue) => issue?.field === field && /^is not known/.test(String(issue?.message)));
  return (
    new RegExp(`\\b${field}\\b`).test(error.detail) &&
    /extra|unknown|not known|unexpected/i.test(error.detail)
  );
}

function shortenRefusal(refusal: BusError, toShort: (scope: string) => string): BusError {
  const { status, code, data = {} } = refusal;
  const detail = refusal.detail.replace(/'([^']+)'/g, (quoted, text: string) =>
    text.includes('/') ? `'${toShort(text)}'` : quoted,
  );
  return new BusError({ status, code, detail, data: shorten(data, toShort) });
}

/** The fields of answers that are scopes, at whatever depth. */
const scopeFields = new Set(['path', 'held_path', 'paths']);

function shorten<Value>(value: Value, toShort: (scope: string) => string): Value {
  if (Array.isArray(value)) return value.map((item) => shorten(item, toShort)) as Value;
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([field, inner]) => [
    field,
    scopeFields.has(field) ? shortenField(inner, toShort) : shorten(inner, toShort),
  ]);
  return Object.fromEntries(entries) as Value;
}

function shortenField(value: unknown, toShort: (scope: string) => string): unknown {
  if (typeof value === 'string') return toShort(value);
  return Array.isArray(value) ? value.map((item) => shortenField(item, toShort)) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
