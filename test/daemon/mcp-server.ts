import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { commandFile } from '../build.ts';
import { waitUntil } from '../suite/ask.ts';
import type { Home } from './machine.ts';

type Answer = Readonly<{ result: { structuredContent: Record<string, unknown> } }>;

/** The MCP server that ships, as a client starts it: over stdio, with nothing set but what the test says. */
export function startMcpServer(home: Home, more: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [commandFile], {
    env: { ...home.environment, ...more },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const answers = new Map<number, Answer>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line);
    answers.set(message.id, message);
  });
  let count = 0;
  const ask = (method: string, params: object) => {
    count += 1;
    const id = count;
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return waitUntil(() => answers.get(id), 20);
  };
  const clientInfo = { name: 'test', version: '1' };
  const opened = ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  return {
    child,
    ended: once(child, 'exit'),
    async call(name: string, given: object = {}): Promise<Record<string, unknown>> {
      await opened;
      const { result } = await ask('tools/call', { name, arguments: given });
      return result.structuredContent;
    },
  };
}
