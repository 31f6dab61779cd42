// An agent that follows a script: it knows the bus by the tools of its own MCP server, and by nothing else.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { commandFile } from '../servers.mjs';

const waitSeconds = 45;
const triesMax = 20;

export async function startAgent({ url, folder, way }) {
  const counted = { calls: 0, shownBytes: 0, waitedMilliseconds: 0 };
  const server = startMcpServer({ url, folder });
  const clientInfo = { name: 'trial', version: '1' };
  const opening = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const { instructions } = await server.ask('initialize', opening);
  const { tools } = await server.ask('tools/list', {});
  if (way.usesBus)
    counted.shownBytes +=
      bytesOf(instructions) + tools.reduce((sum, tool) => sum + bytesOf(toShown(tool)), 0);

  async function call(name, given = {}) {
    const { content } = await server.ask('tools/call', { name, arguments: given });
    const [{ text }] = content;
    counted.calls += 1;
    counted.shownBytes += bytesOf(text) + bytesOf(JSON.stringify(given));
    return JSON.parse(text);
  }

  /** Waits its turn as often as it takes. */
  async function claim(given) {
    const startedAt = performance.now();
    for (let tries = 0; tries < triesMax; tries += 1) {
      const answer = await call('claim_lane', { ...given, keep_alive: true, wait_s: waitSeconds });
      if (answer.ok) {
        counted.waitedMilliseconds += performance.now() - startedAt;
        return answer.lane;
      }
      if (answer.error.data?.expires_in_s === undefined && !answer.error.data?.conflicts)
        throw new Error(answer.error.message);
    }
    throw new Error(`no turn for ${JSON.stringify(given)} after ${triesMax} waits`);
  }

  async function release(held, { word, files }) {
    const note = `${word} done in ${files.join(', ')}`;
    const release = { lane: held.lane, fence: held.fence };
    const takesNote = 'note' in tools.find(({ name }) => name === 'release_lane').inputSchema.properties;
    if (!takesNote) await call('post_message', { topic: 'work', body: note });
    const { ok, error } = await call('release_lane', { ...release, ...(takesNote && { note }) });
    if (!ok) throw new Error(error.message);
  }

  async function work(tasks, { repository, thinkMilliseconds, index }) {
    if (way.usesBus) await call('get_bus_status');
    for (const [number, task] of tasks.entries()) {
      const held = way.toClaim && (await claim(way.toClaim(task, { index, number })));
      for (const file of task.files) await repository.edit({ file, agent: index, thinkMilliseconds });
      if (held) await release(held, task);
    }
  }

  return {
    counted,
    tools: Object.fromEntries(tools.map((tool) => [tool.name, tool])),
    work,
    close: server.close,
  };
}

/** What a client sends to its model of a tool. */
function toShown({ name, description, inputSchema }) {
  return JSON.stringify({ name, description, input_schema: inputSchema });
}

function bytesOf(text = '') {
  return Buffer.byteLength(text);
}

function startMcpServer({ url, folder }) {
  const child = spawn(process.execPath, [commandFile], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, BUS_MCP_BASE_URL: url },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const asked = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result, error } = JSON.parse(line);
    const { resolve, reject } = asked.get(id) ?? {};
    asked.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  });
  child.once('exit', (status) => {
    for (const { reject } of asked.values()) reject(new Error(`the MCP server ended with status ${status}`));
  });
  let ids = 0;
  return {
    ask(method, params) {
      ids += 1;
      const id = ids;
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      return new Promise((resolve, reject) => asked.set(id, { resolve, reject }));
    },
    async close() {
      child.stdin.end();
      const kill = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await exited;
      clearTimeout(kill);
    },
  };
}
