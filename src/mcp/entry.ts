import type { Readable, Writable } from 'node:stream';
import type { Server, Transport } from '@modelcontextprotocol/server';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { systemTimers } from '../lease/timers.ts';
import { withObjectArguments } from './arguments.ts';
import type { Log } from './call.ts';
import { createKeepAlive } from './keep-alive.ts';
import type { RawMessage } from './listening.ts';
import { replayAnswered } from './replay.ts';
import { createMcpServer, type McpServerOptions } from './server.ts';
import { observeListening } from './stdio-listening.ts';
import { selectTools } from './tools.ts';
import { observeUnanswered } from './unanswered.ts';
import { createWatcher } from './watcher.ts';

export type StdioOptions = Omit<McpServerOptions, 'keepAlive' | 'watcher' | 'era'> &
  Readonly<{
    /** How long at most a lane is kept for an agent that does not ask for it again. */
    keepAliveMaxSeconds?: number | undefined;
    input?: Readable | undefined;
    output?: Writable | undefined;
    /** What the client sent, and was answered, before this server was there. */
    answered?: readonly RawMessage[] | undefined;
  }>;

const keepAliveMaxSecondsDefault = 4 * 3600;

/**
 * Serves one MCP session over stdin and stdout, in whichever protocol era the client opens it.
 *
 * Resolves when the session is over, because the client closed a pipe or a signal came, and what was kept alive is
 * given back, which takes a second at most. What the client asked for before it closed is answered, within a second
 * too. The process must exit then: a call that still waits does not hold it up.
 */
export async function serveMcpOverStdio(options: StdioOptions): Promise<void> {
  const { bus, log, keepAliveMaxSeconds: ceilingSeconds = keepAliveMaxSecondsDefault } = options;
  // A server is made when the client speaks; a choice of tools that makes no sense is refused before that.
  selectTools(options);
  const keepAlive = createKeepAlive({ bus, timers: systemTimers, ceilingSeconds });
  const transport = new StdioServerTransport(options.input, options.output);
  let server: Server | undefined;
  const onUpdated = (uri: string) => void server?.sendResourceUpdated({ uri }).catch(ignoreDeparture);
  const watcher = createWatcher({ bus, onUpdated, log });
  // The client may open both eras in turn, so there can be two servers; what they keep alive is one.
  const connection = serveStdio(
    ({ era }) => {
      server = createMcpServer({ ...options, era, keepAlive, watcher });
      return server;
    },
    { transport, onerror: (error) => log(...toProblem(error)) },
  );
  observeListening(transport, watcher);
  replayAnswered(transport, options.answered ?? []);
  admitAnyArguments(transport);
  finishCalls(transport, options.input ?? process.stdin);
  // Whoever answered the opening has paused it.
  (options.input ?? process.stdin).resume();
  await endOfSession(transport);
  watcher.close();
  await Promise.all([connection.close(), keepAlive.releaseAll()]);
}

/** What asks for nothing that may take long is answered also when the client has said its last word. */
const finishMilliseconds = 900;

/** The library closes at the end of the input at once, and then nothing is answered any more. */
function finishCalls(transport: Transport, input: Readable): void {
  const unanswered = observeUnanswered(transport);
  const close = transport.close.bind(transport);
  let closing: Promise<void> | undefined;
  const finish = async () => {
    if (input.readableEnded) await unanswered.settled(finishMilliseconds);
    await close();
  };
  transport.close = () => {
    closing ??= finish();
    return closing;
  };
}

function admitAnyArguments(transport: Transport): void {
  const { onmessage } = transport;
  transport.onmessage = (message, extra) => onmessage?.(withObjectArguments(message), extra);
}

/** What the library found wrong with a line it tells at length. */
function toProblem(error: Error): Parameters<Log> {
  if (!('issues' in error)) return ['the MCP connection had a problem', error];
  return [
    'a line of the client was left out: it is no JSON-RPC message, or several in an array; send each as a line of its own',
  ];
}

function ignoreDeparture(): void {}

/** The transport closes when stdin ends, when stdout breaks, and when a message is too large to read. */
function endOfSession(transport: StdioServerTransport): Promise<void> {
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  return new Promise((resolve) => {
    const end = () => {
      for (const signal of signals) process.off(signal, end);
      resolve();
    };
    for (const signal of signals) process.on(signal, end);
    const { onclose } = transport;
    transport.onclose = () => {
      onclose?.();
      end();
    };
  });
}
