import { describe, expect, test } from 'vitest';
import { errorTable } from '../../src/contract/errors.ts';
import { errorsOf } from '../../src/contract/operation.ts';
import { toOpenApi } from '../../src/http/openapi.ts';
import { routes } from '../../src/http/wire.ts';

type Parameter = { name: string; in: string; required: boolean; schema: object };
type Described = {
  operationId: string;
  parameters: Parameter[];
  requestBody?: {
    content: Record<
      string,
      { schema: { properties: object; required?: string[]; additionalProperties: boolean } }
    >;
  };
  responses: Record<string, { content: Record<string, { schema: object }> }>;
};

const document = toOpenApi({ version: '9.8.7' }) as {
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, object> };
};
const describedOf = ({ operation }: (typeof routes)[number]) =>
  document.paths[`/api/bus${operation.path}`]?.[operation.method.toLowerCase()] as Described;

describe('the OpenAPI document', () => {
  test.each(routes.map((route) => [route.name, route] as const))(
    '%s says where each of its fields goes',
    (_, route) => {
      const described = describedOf(route);
      const inPath = described.parameters
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => name);
      const inQuery = described.parameters
        .filter((parameter) => parameter.in === 'query')
        .map(({ name }) => name);
      const inBody = Object.keys(described.requestBody?.content['application/json']?.schema.properties ?? {});
      expect(inPath).toEqual(route.pathFields);
      expect([...inPath, ...inQuery, ...inBody].sort()).toEqual(
        Object.keys(route.operation.input.shape).sort(),
      );
      expect(route.operation.method === 'GET' ? inBody : inQuery).toEqual([]);
    },
  );

  test.each(routes.map((route) => [route.name, route] as const))(
    '%s lists every refusal it can end in',
    (_, route) => {
      const text = JSON.stringify(describedOf(route).responses);
      const codes = [...text.matchAll(/schemas\/Refusal_(\w+)/g)].map(([, code]) => code);
      expect(codes.sort()).toEqual([...errorsOf(route.operation)].sort());
      for (const code of errorsOf(route.operation)) {
        expect(JSON.stringify(describedOf(route).responses[errorTable[code].status])).toContain(
          `Refusal_${code}`,
        );
      }
    },
  );

  test.each(routes.map((route) => [route.name, route] as const))(
    '%s takes a secret and a key only if it writes',
    (_, route) => {
      const described = describedOf(route);
      expect('security' in described).toBe(route.isWrite);
      expect(described.parameters.some(({ name }) => name === 'Idempotency-Key')).toBe(route.isWrite);
    },
  );

  test('asks for closed inputs and answers with open outputs', () => {
    const post = document.paths['/api/bus/message']?.post as Described;
    const schema = post.requestBody?.content['application/json']?.schema;
    expect(schema).toMatchObject({ additionalProperties: false, required: ['topic', 'sender', 'body'] });
    for (const route of routes) {
      expect(JSON.stringify(describedOf(route).responses)).not.toContain('"additionalProperties":false');
    }
  });

  test('refers only to what it holds, and names each operation once', () => {
    const text = JSON.stringify(document);
    for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(document.components.schemas).toHaveProperty(name as string);
    }
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(Object.keys(document.paths)).toContain('/healthz');
  });
});
