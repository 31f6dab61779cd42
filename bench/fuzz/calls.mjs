// Tool calls to the MCP server over stdio, and lines that are none.
import fc from 'fast-check';
import { toolCalls } from './arbitraries.mjs';

const batchSize = 40;
const answerMillisecondsMax = 15_000;
const knownTypes = new Set(['bus_api_error', 'invalid_arguments']);
const internalError = -32603;

export async function fuzzCalls({ subject, count, seed, progress }) {
  const waiting = new Map();
  const outcomes = new Map();
  let nextId = 1;
  let answered = 0;

  listen(subject.child.stdout, (message) => {
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });

  function ask(method, params) {
    const id = nextId;
    nextId += 1;
    const answer = new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer came to ${method}`)), answerMillisecondsMax);
      waiting.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
    });
    subject.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return answer;
  }

  async function tryOne(params) {
    const { error, result } = await ask('tools/call', params);
    answered += 1;
    const outcome = error ? `rpc ${error.code}` : result.isError ? result.structuredContent.error.type : 'ok';
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (answered % 2_000 === 0) progress(`${answered.toLocaleString('en')} tool calls`);
    if (error?.code === internalError) throw new Error(`an internal error: ${error.message}`);
    if (result?.isError) checkError(result.structuredContent.error);
  }

  await ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'fuzz', version: '1' },
  });
  subject.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  await fc.assert(
    fc.asyncProperty(fc.array(toolCalls, { minLength: batchSize, maxLength: batchSize }), async (batch) => {
      await Promise.all(batch.map(tryOne));
    }),
    { numRuns: Math.ceil(count / batchSize), seed, endOnFailure: true },
  );
  return { answered, outcomes };
}

/** Whatever the arguments were, the bus was there and refused them for a reason that the caller can fix. */
function checkError({ type, status_code, message }) {
  if (!knownTypes.has(type)) throw new Error(`an error of type ${type}: ${message}`);
  if (status_code >= 500) throw new Error(`status ${status_code}: ${message}`);
}

function listen(stream, onMessage) {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      onMessage(JSON.parse(text.slice(0, end)));
      text = text.slice(end + 1);
    }
  });
}
