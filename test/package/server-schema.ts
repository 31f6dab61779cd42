const filledText = { type: 'string', minLength: 1 };
/** One exact version: ranges and `latest` are refused at publishing. */
const exactVersion = { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?$' };

/**
 * What the registry of MCP servers asks of a server.json of 2025-12-11, as far as this package uses it. Stricter than
 * the published schema in one point: a field that it does not name is a mistake here.
 */
export const serverSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['$schema', 'name', 'description', 'version', 'packages'],
  properties: {
    $schema: { const: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json' },
    name: { type: 'string', minLength: 3, maxLength: 200, pattern: '^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$' },
    title: { type: 'string', minLength: 1, maxLength: 100 },
    description: { type: 'string', minLength: 1, maxLength: 100 },
    version: exactVersion,
    packages: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['registryType', 'identifier', 'version', 'transport'],
        properties: {
          registryType: { const: 'npm' },
          registryBaseUrl: { const: 'https://registry.npmjs.org' },
          identifier: filledText,
          version: exactVersion,
          runtimeHint: { const: 'npx' },
          transport: {
            type: 'object',
            additionalProperties: false,
            required: ['type'],
            properties: { type: { const: 'stdio' } },
          },
          environmentVariables: {
            type: 'array',
            items: {
              type: 'object',
              additionalProperties: false,
              required: ['name', 'description'],
              properties: { name: filledText, description: filledText, isSecret: { type: 'boolean' } },
            },
          },
        },
      },
    },
  },
};
