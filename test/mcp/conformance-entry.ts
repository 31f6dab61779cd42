/** A server of the suite's fixtures over our transport, at the port that is given; 0 takes any free one. */
import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  Server,
  type Tool,
} from '@modelcontextprotocol/server';
import { limits } from '../../src/contract/limits.ts';
import { readJson } from '../../src/http/body.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createMcpHttp } from '../../src/mcp/http.ts';
import { routeAnswers } from './conformance-answers.ts';
import { askFor, fixtureTools, image, stateCodec, toText, withInput } from './conformance-fixtures.ts';
import { createScriptedBus } from './scripted-bus.ts';

const door = createMcpHttp({
  createServer: ({ era }) => createFixtureServer(era),
  readBody: (request, response) =>
    new Promise((resolve, reject) => {
      readJson(request, response, limits.requestBytesMax, (refusal, value) =>
        refusal ? reject(refusal) : resolve(value),
      );
    }),
  log: (sentence, cause) => console.error(sentence, cause),
});

const log = { info() {}, warn: console.error, error: console.error };
const server = createHttpServer({
  bus: createScriptedBus().bus,
  version: 'conformance',
  allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
  health: async () => ({ ok: true }),
  pages: ['POST', 'GET', 'DELETE'].map((method) => ({ method, path: '/mcp', handle: door.handle })),
  log,
});
const { url } = await server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0) });
console.log(`${url}/mcp`);

function createFixtureServer(era: 'legacy' | 'modern'): Server {
  const fixtures = new Server(
    { name: 'conformance', version: '1' },
    {
      capabilities: {
        tools: {},
        prompts: {},
        resources: { subscribe: true },
        completions: {},
        logging: {},
      },
      requestState: { verify: stateCodec.verify },
    },
  );
  serveFixtureTools(fixtures);
  serveFixtureResources(fixtures, era);
  serveFixturePrompts(fixtures);
  routeAnswers(fixtures);
  return fixtures;
}

function serveFixtureTools(fixtures: Server): void {
  const tools = Object.entries(fixtureTools).map(([name, { description, inputSchema }]) => ({
    name,
    description,
    inputSchema: (inputSchema ?? { type: 'object' }) as Tool['inputSchema'],
  }));
  fixtures.setRequestHandler('tools/list', () => ({ tools }));
  fixtures.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = fixtureTools[params.name as keyof typeof fixtureTools];
    if (!tool) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
    return (await tool.run(params.arguments ?? {}, context)) as { content: [] };
  });
}

function serveFixtureResources(fixtures: Server, era: 'legacy' | 'modern'): void {
  const text = { uri: 'test://static-text', mimeType: 'text/plain' };
  const binary = { uri: 'test://static-binary', mimeType: 'image/png' };
  const contents: Record<string, object> = {
    [text.uri]: { ...text, text: 'This is the content of the static text resource.' },
    [binary.uri]: { ...binary, blob: image.data },
  };
  fixtures.setRequestHandler('resources/list', () => ({
    resources: [
      { ...text, name: 'text', description: 'A text' },
      { ...binary, name: 'binary', description: 'An image' },
    ],
  }));
  fixtures.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template' }],
  }));
  fixtures.setRequestHandler('resources/read', ({ params: { uri } }) => {
    const [, id] = /^test:\/\/template\/(.+)\/data$/.exec(uri) ?? [];
    const found = id ? toTemplated(uri, id) : contents[uri];
    if (!found) throw new ResourceNotFoundError(uri);
    return { contents: [found as { uri: string; text: string }] };
  });
  if (era === 'modern') return;
  fixtures.setRequestHandler('resources/subscribe', () => ({}));
  fixtures.setRequestHandler('resources/unsubscribe', () => ({}));
}

function toTemplated(uri: string, id: string): object {
  const data = { id, templateTest: true, data: `Data for ID: ${id}` };
  return { uri, mimeType: 'application/json', text: JSON.stringify(data) };
}

function serveFixturePrompts(fixtures: Server): void {
  const toMessage = (content: object) => ({ role: 'user', content }) as never;
  const takes = (...names: string[]) => names.map((name) => ({ name, required: true }));
  fixtures.setRequestHandler('prompts/list', () => ({
    prompts: [
      { name: 'test_simple_prompt', description: 'A text' },
      {
        name: 'test_prompt_with_arguments',
        description: 'A text with arguments',
        arguments: takes('arg1', 'arg2'),
      },
      {
        name: 'test_prompt_with_embedded_resource',
        description: 'A resource',
        arguments: takes('resourceUri'),
      },
      { name: 'test_prompt_with_image', description: 'An image' },
      { name: 'test_input_required_result_prompt', description: 'A text that needs more' },
    ],
  }));
  fixtures.setRequestHandler('prompts/get', async ({ params }, context) => {
    const given: Record<string, string> = params.arguments ?? {};
    switch (params.name) {
      case 'test_simple_prompt':
        return { messages: [toMessage(toText('This is a simple prompt for testing.'))] };
      case 'test_prompt_with_arguments': {
        const text = `Prompt with arguments: arg1='${given.arg1}', arg2='${given.arg2}'`;
        return { messages: [toMessage(toText(text))] };
      }
      case 'test_prompt_with_embedded_resource': {
        const text = 'Embedded resource content for testing.';
        const resource = { uri: given.resourceUri, mimeType: 'text/plain', text };
        const request = toText('Please process the embedded resource above.');
        return { messages: [toMessage({ type: 'resource', resource }), toMessage(request)] };
      }
      case 'test_prompt_with_image':
        return { messages: [toMessage(image), toMessage(toText('Please analyze the image above.'))] };
      case 'test_input_required_result_prompt': {
        const user_context = askFor('What context should the prompt use?', 'context');
        const result = await withInput(context, { user_context });
        if ('inputRequests' in result) return result as never;
        return { messages: [toMessage(toText('With the context that was given.'))] };
      }
      default:
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt: ${params.name}`);
    }
  });
  fixtures.setRequestHandler('completion/complete', ({ params }) => {
    const values = ['paris', 'park', 'party'].filter((word) => word.startsWith(params.argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
}
