import type { Readable, Writable } from 'node:stream';
import type { Server, Transport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { systemTimers } from '../../lease/timers.ts';
import type { RawMessage } from '../arguments.ts';
import { createKeepAlive } from '../keep-alive.ts';
import { createMcpServer, type McpServerOptions } from '../server.ts';
import { selectTools } from '../tools.ts';
import { createWatcher } from '../watcher.ts';
import { observeListening } from './listening.ts';
import { replayAnswered } from './replay.ts';
import { createStdioTransport } from './transport.ts';
import { observeUnanswered } from './unanswered.ts';

export type StdioOptions = Omit<McpServerOptions, 'keepAlive' | 'watcher' | 'era'> &
  Readonly<{
    /** How long a lane is kept, at most, for an agent that does not ask for it again. */
    keepAliveMaxSeconds?: number | undefined;
    /** The bus is on this machine. */
    isBusHere?: boolean | undefined;
    input?: Readable | undefined;
    output?: Writable | undefined;
    /** What the client sent, and was already told, before this server was loaded. */
    answered?: readonly RawMessage[] | undefined;
  }>;

const keepAliveMaxSecondsDefault = 4 * 3600;

/**
 * Serves one MCP session over stdin and stdout, in whichever protocol version the client uses.
 *
 * Resolves when the session is over: the client closed a pipe or a signal arrived, and kept lanes have been
 * released, which takes a second at most. Calls made before the client closed get their response, also within a
 * second. The process must exit then; calls that still wait do not delay it.
 */
export async function serveMcpOverStdio(options: StdioOptions): Promise<void> {
  const { bus, log, isBusHere, keepAliveMaxSeconds: ceilingSeconds = keepAliveMaxSecondsDefault } = options;
  // A server is only created when the client speaks, so refuse an invalid choice of tools here.
  selectTools(options);
  const keepAlive = createKeepAlive({ bus, timers: systemTimers, isBusHere, ceilingSeconds });
  const { input = process.stdin, output = process.stdout } = options;
  const transport = createStdioTransport({ input, output, log });
  let server: Server | undefined;
  const onUpdated = (uri: string) => void server?.sendResourceUpdated({ uri }).catch(ignoreDeparture);
  const watcher = createWatcher({ bus, onUpdated, log });
  // The client may try both protocol versions in turn, so there can be two servers. They share one keep-alive.
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
  // The code that handled the opening paused the input.
  input.resume();
  await endOfSession(transport);
  watcher.close();
  await Promise.all([connection.close(), keepAlive.releaseAll()]);
}

/** How long to finish calls that do not wait for anything, after the client has closed its end. */
const finishMilliseconds = 900;

/** The library closes at once when the input ends, and calls would then get no response. */
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

/** The transport closes when stdin ends or stdout breaks. */
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
