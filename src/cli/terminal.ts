import { toVisible } from './visible.ts';

/** What the command line writes to: two streams, one for answers and one for remarks. */
export type Terminal = Readonly<{
  /** A line of the answer; resolves once it was handed on. Never rejects: see `closed`. */
  print(line: string): Promise<void>;
  /** A remark for people, beside the answer. Control characters in it are shown, not executed. */
  remark(sentence: string): void;
  /** Resolves once everything was handed on, so that the process may end. */
  flush(): Promise<void>;
  /** Ends when nobody reads the answer any longer, as after `| head -1`. */
  closed: AbortSignal;
}>;

export function createTerminal(
  streams: Readonly<{ output: NodeJS.WritableStream; errorOutput: NodeJS.WritableStream }>,
): Terminal {
  const { output, errorOutput } = streams;
  const reader = new AbortController();
  // Without a listener a write to a closed pipe would end the process with a stack trace. The error may come after
  // the last write was answered, so the listeners stay.
  output.on('error', () => reader.abort());
  errorOutput.on('error', ignore);
  return {
    print(line) {
      return reader.signal.aborted ? Promise.resolve() : handOn(output, `${line}\n`);
    },
    remark(sentence) {
      errorOutput.write(`${toVisible(sentence, { keepLines: true })}\n`);
    },
    async flush() {
      await Promise.all([output, errorOutput].map((stream) => handOn(stream, '')));
    },
    closed: reader.signal,
  };
}

function handOn(stream: NodeJS.WritableStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.write(text, () => resolve());
  });
}

function ignore() {}
