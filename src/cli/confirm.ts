import { createInterface } from 'node:readline';
import type { Terminal } from './terminal.ts';

/** Whether a person is at both ends, who can read a question and type a response. */
export function canAsk(input: NodeJS.ReadableStream): boolean {
  return (input as Partial<NodeJS.ReadStream>).isTTY === true && process.stderr.isTTY === true;
}

/** Asks a person and waits for a line. Only yes means yes. */
export async function confirm(
  question: string,
  { input, terminal }: Readonly<{ input: NodeJS.ReadableStream; terminal: Terminal }>,
): Promise<boolean> {
  terminal.remark(`${question} [y/N]`);
  const lines = createInterface({ input });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
