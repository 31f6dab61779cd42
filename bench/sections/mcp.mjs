// What the tools add to a direct HTTP call: one at a time, over stdio and over HTTP.
import { Agent, request } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { toPercentiles } from '../load.mjs';
import { inTurn } from '../rounds.mjs';
import { commandFile, startBus } from '../servers.mjs';

export const title = 'One tool call against one direct HTTP call, one at a time: ms';

export async function run({ settings, progress, report }) {
  const server = await startBus({ store: settings.store });
  const agent = new Agent({ keepAlive: true });
  const stdio = await connectClient(
    new StdioClientTransport({
      command: process.execPath,
      args: [commandFile],
      env: { ...process.env, BUS_MCP_BASE_URL: `${server.url}/api/bus`, BUS_MCP_AGENT_ID: 'bench' },
    }),
  );
  const http = await connectClient(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)));
  const callTool = (client) => () => client.callTool({ name: 'read_messages', arguments: { limit: 1 } });
  const subjects = {
    direct: () => readDirectly(agent, server.port),
    'tool over stdio': callTool(stdio),
    'tool over HTTP': callTool(http),
  };
  try {
    const { direct, ...tools } = await inTurn({
      rounds: settings.rounds,
      subjects,
      progress,
      measure: (call) => measureCalls(call, settings.isQuick ? 50 : 500),
    });
    for (const [name, figures] of Object.entries(tools)) {
      const target = name === 'tool over stdio' ? { target: { atMost: 2.3 } } : {};
      report({
        name,
        against: 'direct call',
        ours: figures,
        theirs: direct,
        ratio: figures.p50 / direct.p50,
        ...target,
      });
    }
  } finally {
    await Promise.all([stdio.close(), http.close()]);
    agent.destroy();
    await server.stop();
  }
}

async function connectClient(transport) {
  const client = new Client({ name: 'bench', version: '1.0.0' });
  await client.connect(transport);
  return client;
}

async function measureCalls(call, count) {
  for (let warmUp = 0; warmUp < 20; warmUp += 1) await call();
  const latencies = [];
  for (let made = 0; made < count; made += 1) {
    const sentAt = performance.now();
    await call();
    latencies.push(performance.now() - sentAt);
  }
  return toPercentiles(latencies);
}

function readDirectly(agent, port) {
  return new Promise((resolve, reject) => {
    const options = { agent, port, host: '127.0.0.1', path: '/api/bus/messages?limit=1' };
    request(options, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(JSON.parse(text)));
    })
      .once('error', reject)
      .end();
  });
}
