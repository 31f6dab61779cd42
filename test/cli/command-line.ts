import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import type { Actions } from '../../src/cli/command.ts';
import { type CommandLine, runCommandLine } from '../../src/cli/main.ts';
import type { Bus, OperationName } from '../../src/contract/contract.ts';
import { operationNames } from '../../src/contract/contract.ts';

/** What the bus of a test does; what is not in it must not be called. */
export type Script = {
  readonly [Name in OperationName]?: (input: never, call?: Parameters<Bus[Name]>[1]) => unknown;
};

export type Run = Readonly<{
  status: Promise<number>;
  signals: EventEmitter;
  output(): string;
  errorOutput(): string;
  /** What each call to the bus carried, in order. */
  calls: readonly Readonly<{ name: OperationName; input: Record<string, unknown> }>[];
  /** Whether the bus was closed as often as it was opened. */
  isClosed(): boolean;
}>;

/** Runs the command line in this process against a scripted bus. */
export function startCommandLine(
  argv: readonly string[],
  given: Readonly<{ script?: Script; input?: string }> & Partial<Omit<CommandLine, 'input'>> = {},
): Run {
  const { script = {}, input = '', ...rest } = given;
  const calls: { name: OperationName; input: Record<string, unknown> }[] = [];
  const [output, readOutput] = createSink();
  const [errorOutput, readErrorOutput] = createSink();
  const signals = new EventEmitter();
  let open = 0;
  const close = () => {
    open -= 1;
  };
  const bus = createBus(script, calls);
  const actions: Actions = {
    async openBus() {
      open += 1;
      return { ...bus, close };
    },
    serve: () => Promise.reject(new Error('not in this test')),
    mcp: () => Promise.reject(new Error('not in this test')),
  };
  const status = runCommandLine({
    argv,
    environment: {},
    input: Readable.from([Buffer.from(input)]),
    output,
    errorOutput,
    version: '9.9.9',
    actions,
    signals,
    ...rest,
  });
  return {
    status,
    signals,
    output: readOutput,
    errorOutput: readErrorOutput,
    calls,
    isClosed: () => open === 0,
  };
}

/** The same, run to its end. */
export async function runToEnd(...asked: Parameters<typeof startCommandLine>) {
  const run = startCommandLine(...asked);
  const status = await run.status;
  return { ...run, status, output: run.output(), errorOutput: run.errorOutput() };
}

function createBus(script: Script, calls: { name: OperationName; input: Record<string, unknown> }[]): Bus {
  const entries = operationNames.map((name) => [
    name,
    async (input: never, call?: never) => {
      calls.push({ name, input });
      const answer = script[name];
      if (answer === undefined) throw new Error(`the script has no ${name}`);
      return answer(input, call);
    },
  ]);
  return Object.fromEntries(entries) as Bus;
}

function createSink(): [Writable, () => string] {
  let text = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  return [sink, () => text];
}
