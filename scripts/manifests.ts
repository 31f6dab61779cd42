import manifest from '../package.json' with { type: 'json' };
import { settingEntries, settings } from '../src/cli/settings.ts';
import { operationsAt } from '../src/contract/contract.ts';
import { toSnakeCase } from '../src/contract/names.ts';
import { isPublished } from '../src/contract/publication.ts';

/**
 * What tells other people's programs about this package, by the file it is written to. Name, version and settings are
 * said once, elsewhere: these files repeat them for readers who know no other.
 */
export const manifestFiles = {
  'server.json': toServer,
  '.claude-plugin/plugin.json': toPlugin,
  '.claude-plugin/marketplace.json': toMarketplace,
} as const;

/** What the registry of MCP servers lists. */
function toServer(): object {
  return {
    $schema: 'https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json',
    name: manifest.mcpName,
    title,
    description: shortDescription,
    version: manifest.version,
    packages: [
      {
        registryType: 'npm',
        registryBaseUrl: 'https://registry.npmjs.org',
        identifier: manifest.name,
        version: manifest.version,
        runtimeHint: 'npx',
        transport: { type: 'stdio' },
        environmentVariables: settingEntries
          .filter(([, { readBy }]) => readBy.includes('mcp'))
          .map(([name, { description, environment }]) => ({
            name: environment,
            description,
            ...(name === 'writeSecret' && { isSecret: true }),
          })),
      },
    ],
  };
}

/** The package itself is the plugin: its hooks, its server and its skill lie where they are. */
function toPlugin(): object {
  return {
    name: manifest.name,
    version: manifest.version,
    description: manifest.description,
    author: { name: manifest.author },
    license: manifest.license,
    keywords: manifest.keywords,
    hooks: './hooks/claude-code/hooks.json',
    mcpServers: {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the client fills it in
      bus: { command: 'node', args: ['${CLAUDE_PLUGIN_ROOT}/dist/bin.js'] },
    },
  };
}

/** The plugin comes from the registry once it is there. Until then it is the checkout itself, which has to be built. */
function toMarketplace(): object {
  const { author, description, name, version } = manifest;
  const source = isPublished ? { source: 'npm', package: name, version } : './';
  return {
    name,
    owner: { name: author },
    metadata: { description },
    plugins: [{ name, description, version, source }],
  };
}

/** The bundle that desktop clients install with a click. */
export function toBundle(): object {
  return {
    manifest_version: '0.3',
    name: manifest.name,
    display_name: title,
    version: manifest.version,
    description: manifest.description,
    author: { name: manifest.author },
    license: manifest.license,
    keywords: manifest.keywords,
    server: {
      type: 'node',
      entry_point: 'dist/bin.js',
      mcp_config: {
        command: 'node',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the client fills it in
        args: ['${__dirname}/dist/bin.js'],
        env: Object.fromEntries(
          bundleSettings().map(({ name, environment }) => [environment, `\${user_config.${name}}`]),
        ),
      },
    },
    tools: operationsAt('mcp').map(([name, { summary }]) => ({
      name: toSnakeCase(name),
      description: summary,
    })),
    compatibility: { runtimes: { node: '>=22.13' } },
    user_config: Object.fromEntries(
      bundleSettings().map(({ description, name, title }) => [
        name,
        {
          type: 'string',
          title,
          description,
          // What is left empty counts as unset.
          default: '',
          required: false,
          ...(name === 'writeSecret' && { sensitive: true }),
        },
      ]),
    ),
  };
}

/** What a person at a desktop may have to say, in the words of a form; anything else has a default that fits. */
const bundleTitles = {
  baseUrl: 'Address of the bus',
  writeSecret: 'Write secret',
  agentId: 'Agent id',
} as const;

function bundleSettings() {
  return (Object.keys(bundleTitles) as (keyof typeof bundleTitles)[]).map((name) => ({
    name,
    title: bundleTitles[name],
    ...settings[name],
  }));
}

const title = 'Coordination bus';
const shortDescription =
  'Coordinate coding agents: a message board, lanes held under leases, and who does what';
