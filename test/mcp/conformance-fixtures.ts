import {
  type CallToolResult,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from '@modelcontextprotocol/server';

/** What the official suite asks a server under test to offer, by the names and texts that it looks for. */
type FixtureTool = Readonly<{
  description: string;
  inputSchema?: object;
  run: (given: Readonly<Record<string, unknown>>, context: ServerContext) => unknown;
}>;

const red1x1Png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const emptyWav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

export const image = { type: 'image', data: red1x1Png, mimeType: 'image/png' } as const;

export function toText(text: string) {
  return { type: 'text', text } as const;
}

function answer(...content: unknown[]): CallToolResult {
  return { content: content as CallToolResult['content'] };
}

const plainTools: Record<string, FixtureTool> = {
  test_simple_text: {
    description: 'Answers a text',
    run: () => answer(toText('This is a simple text response for testing.')),
  },
  test_image_content: { description: 'Answers an image', run: () => answer(image) },
  test_audio_content: {
    description: 'Answers a sound',
    run: () => answer({ type: 'audio', data: emptyWav, mimeType: 'audio/wav' }),
  },
  test_embedded_resource: {
    description: 'Answers a resource',
    run: () =>
      answer({
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      }),
  },
  test_multiple_content_types: {
    description: 'Answers a text, an image and a resource',
    run: () =>
      answer(toText('Multiple content types test:'), image, {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: '{"test":"data","value":123}',
        },
      }),
  },
  test_error_handling: {
    description: 'Fails',
    run: () => ({ ...answer(toText('This tool intentionally returns an error for testing')), isError: true }),
  },
};

const reportingTools: Record<string, FixtureTool> = {
  test_tool_with_logging: {
    description: 'Logs while it runs',
    async run(_, { mcpReq }) {
      for (const text of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await mcpReq.log('info', text);
        await pause();
      }
      return answer(toText('logged'));
    },
  },
  test_logging_tool: {
    description: 'Logs, if the client asked for it',
    async run(_, { mcpReq }) {
      await mcpReq.log('info', 'only for those who asked');
      return answer(toText('logged'));
    },
  },
  test_tool_with_progress: {
    description: 'Reports its progress',
    async run(_, { mcpReq }) {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined)
          await mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress, total: 100 },
          });
        await pause();
      }
      return answer(toText('done'));
    },
  },
  test_missing_capability: {
    description: 'Needs a client that samples',
    run(_, context) {
      if (capabilitiesOf(context).sampling) return answer(toText('the client samples'));
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
    },
  },
};

/** In the era of 2025 a server asks the client by a request of its own, which the client answers by another POST. */
const askingTools: Record<string, FixtureTool> = {
  test_sampling: {
    description: 'Has the model of the client answer a prompt',
    inputSchema: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
    async run({ prompt }, { mcpReq }) {
      const result = await mcpReq.send({
        method: 'sampling/createMessage',
        params: { messages: [{ role: 'user', content: toText(String(prompt)) }], maxTokens: 100 },
      });
      return answer(toText(`LLM response: ${JSON.stringify(result.content)}`));
    },
  },
  test_elicitation: {
    description: 'Asks the user',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
    run: ({ message }, context) =>
      elicit(context, 'User response', String(message), {
        properties: {
          username: { type: 'string', description: "User's response" },
          email: { type: 'string', description: "User's email address" },
        },
        required: ['username', 'email'],
      }),
  },
  test_elicitation_sep1034_defaults: {
    description: 'Asks the user, with a default for each kind of value',
    run: (_, context) =>
      elicit(context, 'Elicitation completed', 'Please check these values', {
        properties: {
          name: { type: 'string', default: 'John Doe' },
          age: { type: 'integer', default: 30 },
          score: { type: 'number', default: 95.5 },
          status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
          verified: { type: 'boolean', default: true },
        },
      }),
  },
  test_elicitation_sep1330_enums: {
    description: 'Asks the user, with every kind of choice',
    run: (_, context) => elicit(context, 'Elicitation completed', 'Please choose', { properties: choices }),
  },
};

const options = ['option1', 'option2', 'option3'];
const titled = (word: string) =>
  ['First', 'Second', 'Third'].map((place, index) => ({
    const: `value${index + 1}`,
    title: `${place} ${word}`,
  }));

const choices = {
  untitledSingle: { type: 'string', enum: options },
  titledSingle: { type: 'string', oneOf: titled('Option') },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
  titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
};

async function elicit({ mcpReq }: ServerContext, lead: string, message: string, schema: object) {
  const params = { message, requestedSchema: { type: 'object', ...schema } };
  const { action, content } = await mcpReq.send({ method: 'elicitation/create', params });
  return answer(toText(`${lead}: action=${action}, content=${JSON.stringify(content)}`));
}

/** From 2026 on a server answers what it needs to know, and is asked again with that. */
const inputTools: Record<string, FixtureTool> = {
  test_input_required_result_elicitation: {
    description: 'Needs a name',
    run: (_, context) => withInput(context, { user_name: askFor('What is your name?', 'name') }),
  },
  test_streaming_elicitation: {
    description: 'Needs a name, told on a stream',
    run: (_, context) => withInput(context, { user_name: askFor('What is your name?', 'name') }),
  },
  test_input_required_result_sampling: {
    description: 'Needs an answer of a model',
    run: (_, context) => withInput(context, { capital_question: sample('What is the capital of France?') }),
  },
  test_input_required_result_list_roots: {
    description: 'Needs the roots',
    run: (_, context) => withInput(context, { client_roots: inputRequired.listRoots() }),
  },
  test_input_required_result_request_state: {
    description: 'Needs a confirmation, and its state back',
    run: (_, context) => withInput(context, { confirm: askFor('Please confirm', 'ok', 'boolean') }, 'asked'),
  },
  test_input_required_result_tampered_state: {
    description: 'Needs its state back unchanged',
    run: (_, context) => withInput(context, { confirm: askFor('Please confirm', 'ok', 'boolean') }, 'asked'),
  },
  test_input_required_result_multiple_inputs: {
    description: 'Needs three things at once',
    run: (_, context) =>
      withInput(
        context,
        {
          user_name: askFor('What is your name?', 'name'),
          greeting: sample('Generate a greeting'),
          client_roots: inputRequired.listRoots(),
        },
        'asked',
      ),
  },
  test_input_required_result_multi_round: {
    description: 'Needs two things, one after the other',
    run(_, context) {
      const isSecond = context.mcpReq.requestState() !== undefined;
      return isSecond
        ? withInput(context, { step2: askFor('Step 2: What is your favorite color?', 'color') }, 'step2')
        : withInput(context, { step1: askFor('Step 1: What is your name?', 'name') }, 'step1');
    },
  },
  test_input_required_result_capabilities: {
    description: 'Needs what the client can give',
    run(_, context) {
      const { sampling, elicitation } = capabilitiesOf(context);
      return withInput(context, {
        ...(sampling !== undefined && { greeting: sample('Generate a greeting') }),
        ...(elicitation !== undefined && { user_name: askFor('What is your name?', 'name') }),
      });
    },
  },
};

type InputRequests = NonNullable<Parameters<typeof inputRequired>[0]['inputRequests']>;

/** Seals what a client must bring back unchanged. */
export const stateCodec = createRequestStateCodec<string>({
  key: 'the suite only looks whether there is one',
});

export async function withInput(context: ServerContext, inputRequests: InputRequests, state?: string) {
  const { inputResponses } = context.mcpReq;
  const isComplete = Object.keys(inputRequests).every(
    (key) => inputResponse(inputResponses, key).kind !== 'missing',
  );
  if (isComplete) return answer(toText(`state-ok: ${JSON.stringify(inputResponses)}`));
  const requestState = state === undefined ? undefined : await stateCodec.mint(state);
  return inputRequired({ inputRequests, ...(requestState !== undefined && { requestState }) });
}

export function askFor(message: string, field: string, type = 'string') {
  const requestedSchema = { type: 'object', properties: { [field]: { type } }, required: [field] };
  return inputRequired.elicit({ message, requestedSchema } as never);
}

function sample(text: string) {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: toText(text) }],
    maxTokens: 100,
  });
}

function capabilitiesOf({ mcpReq }: ServerContext): Readonly<Record<string, unknown>> {
  const envelope = mcpReq.envelope as Record<string, Record<string, unknown>> | undefined;
  return envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {};
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}

export const fixtureTools = { ...plainTools, ...reportingTools, ...askingTools, ...inputTools };
