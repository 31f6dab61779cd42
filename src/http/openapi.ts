import { z } from 'zod';
import { type ErrorCode, errorTable } from '../contract/errors.ts';
import { limits } from '../contract/limits.ts';
import { toSnakeCase } from '../contract/names.ts';
import { errorsOf } from '../contract/operation.ts';
import { basePath, type Route, routes } from './wire.ts';

type Json = Readonly<Record<string, unknown>>;

/** The routes as an OpenAPI 3.1 document, derived from the contract. */
export function toOpenApi({ version }: Readonly<{ version: string }>): Json {
  const paths: Record<string, Record<string, unknown>> = { '/healthz': { get: health } };
  for (const route of routes) {
    const path = `${basePath}${route.operation.path}`;
    paths[path] = { ...paths[path], [route.operation.method.toLowerCase()]: toOperation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'bus-mcp', version, description },
    paths,
    components: {
      schemas: Object.fromEntries(errorCodes.map((code) => [toSchemaName(code), toRefusalSchema(code)])),
      securitySchemes: {
        writeSecret: { type: 'apiKey', in: 'header', name: 'X-Bus-Secret', description: secretHint },
      },
    },
  };
}

const description =
  'A coordination bus for coding agents: a blackboard of append-only messages, a registry of lanes held under leases, and a status rollup. Programs branch on the `code` of a refusal and on its `data`, never on the sentence in `detail`.';

const secretHint = 'Demanded on writes when the bus has a write secret.';

const errorCodes = Object.keys(errorTable) as readonly ErrorCode[];

function toOperation(route: Route): Json {
  const { name, operation } = route;
  const input = toSchema(operation.input, 'input');
  const rest = Object.fromEntries(
    Object.entries(input.properties).filter(([field]) => !isInPath(route, field)),
  );
  return {
    operationId: toSnakeCase(name),
    summary: operation.summary,
    description: operation.guidance,
    ...(route.isWrite && { security: [{}, { writeSecret: [] }] }),
    parameters: [
      ...route.pathFields.map((field) => toParameter('path', field, input.properties[field], true)),
      ...(operation.method === 'GET'
        ? Object.entries(rest).map(([field, schema]) =>
            toParameter('query', field, schema, isRequired(input, field)),
          )
        : []),
      ...(route.isWrite ? [idempotencyKey] : []),
      ...(name === 'readEvents' ? [lastEventId] : []),
    ],
    ...(operation.method === 'POST' && { requestBody: toBody(input, rest) }),
    responses: { 200: toSuccess(route), ...toRefusals(route) },
  };
}

type ObjectSchema = Readonly<{ properties: Readonly<Record<string, Json>>; required?: readonly string[] }>;

function toSchema(schema: z.ZodObject, io: 'input' | 'output'): ObjectSchema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io });
  return rest as unknown as ObjectSchema;
}

function isInPath(route: Route, field: string): boolean {
  return route.pathFields.includes(field);
}

function isRequired(input: ObjectSchema, field: string): boolean {
  return input.required?.includes(field) ?? false;
}

function toParameter(
  place: 'path' | 'query' | 'header',
  name: string,
  schema: unknown,
  required: boolean,
): Json {
  const { description, ...bare } = schema as Record<string, unknown>;
  return { name, in: place, required, ...(description !== undefined && { description }), schema: bare };
}

const idempotencyKey = toParameter(
  'header',
  'Idempotency-Key',
  {
    type: 'string',
    maxLength: limits.idempotencyKeyCharactersMax,
    description: `Makes the call safe to repeat: for ${limits.idempotencyKeyKeptHours} hours the same key gets the first answer again.`,
  },
  false,
);

const lastEventId = toParameter(
  'header',
  'Last-Event-ID',
  {
    type: 'integer',
    minimum: 0,
    description: 'With Accept: text/event-stream: go on after this event. Wins over since.',
  },
  false,
);

function toBody(input: ObjectSchema, properties: Json): Json {
  const required = (input.required ?? []).filter((field) => field in properties);
  const schema = {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
  return { required: required.length > 0, content: { 'application/json': { schema } } };
}

function toSuccess({ name, operation }: Route): Json {
  const content: Record<string, Json> = {
    'application/json': { schema: toSchema(operation.output, 'output') },
  };
  if (name === 'readEvents')
    content['text/event-stream'] = { schema: { type: 'string', description: streamHint } };
  return { description: operation.summary, content };
}

const streamHint =
  'A stream of events without end: id, event (the kind) and data (the event as JSON). Without since and Last-Event-ID it begins at the end of the log.';

/** One response per status, because several codes may share a status. */
function toRefusals({ operation }: Route): Json {
  const codes = errorsOf(operation);
  const statuses = new Set(codes.map((code) => errorTable[code].status));
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      toAnswerOf(codes.filter((code) => errorTable[code].status === status)),
    ]),
  );
}

function toAnswerOf(codes: readonly ErrorCode[]): Json {
  const schemas = codes.map((code) => ({ $ref: `#/components/schemas/${toSchemaName(code)}` }));
  const schema = schemas.length === 1 ? schemas[0] : { anyOf: schemas };
  const meaning = codes.map((code) => `\`${code}\`: ${errorTable[code].meaning}`).join(' ');
  return { description: meaning, content: { 'application/json': { schema } } };
}

function toSchemaName(code: ErrorCode): string {
  return `Refusal_${code}`;
}

function toRefusalSchema(code: ErrorCode): Json {
  const { meaning, next, data } = errorTable[code];
  return {
    type: 'object',
    description: `${meaning} ${next}`,
    properties: { detail: { type: 'string' }, code: { const: code }, data: toSchema(data, 'output') },
    required: ['detail', 'code', 'data'],
  };
}

const healthSchema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] };
const healthContent = { 'application/json': { schema: healthSchema } };
const health = {
  operationId: 'healthz',
  summary: 'Whether the bus is up and can write',
  responses: {
    200: { description: 'It is.', content: healthContent },
    503: { description: 'It is not, or not any more.', content: healthContent },
  },
};
