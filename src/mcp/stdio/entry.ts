import type { Readable, Writable } from 'node:stream';
import type { Server, Transport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { systemTimers } from '../../lease/timers.ts';
import { createKeepAlive } from '../keep-alive.ts';
import type { RawMessage } from '../listening.ts';
import { createMcpServer, type McpServerOptions } from '../server.ts';
import { selectTools } from '../tools.ts';
import { createWatcher } from '../watcher.ts';
import { observeListening } from './listening.ts';
import { replayAnswered } from './replay.ts';
import { createStdioTransport } from './transport.ts';
import { observeUnanswered } from './unanswered.ts';

export type StdioOptions = Omit<McpServerOptions, 'keepAlive' | 'watcher' | 'era'> &
  Readonly<{
    /** How long at most a lane is kept for an agent that does not ask for it again. */
    keepAliveMaxSeconds?: number | undefined;
    /** The bus is on this machine. */
    isBusHere?: boolean | undefined;
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
  const { bus, log, isBusHere, keepAliveMaxSeconds: ceilingSeconds = keepAliveMaxSecondsDefault } = options;
  // A server is made when the client speaks; a choice of tools that makes no sense is refused before that.
  selectTools(options);
  const keepAlive = createKeepAlive({ bus, timers: systemTimers, isBusHere, ceilingSeconds });
  const { input = process.stdin, output = process.stdout } = options;
  const transport = createStdioTransport({ input, output, log });
  let server: Server | undefined;
  const onUpdated = (uri: string) => void server?.sendResourceUpdated({ uri }).catch(ignoreDeparture);
  const watcher = createWatcher({ bus, onUpdated, log });
  // The client may open both eras in turn, so there can be two servers; what they keep alive is one.
  const connection = serveStdio(
    ({ era }) => {
      server = createMcpServer({ ...options, era, keepAlive, watcher });
      return server;
    },
    { transport, onerror: (error) => log('the MCP connection had a problem', error) },
  );
  observeListening(transport, watcher);
  replayAnswered(transport, options.answered ?? []);
  finishCalls(transport, input);
  // Whoever answered the opening has paused it.
  input.resume();
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

function ignoreDeparture(): void {}

/** The transport closes when stdin ends and when stdout breaks. */
function endOfSession(transport: Transport): Promise<void> {
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
