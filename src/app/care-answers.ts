import { createProgress, noProgress, type Progress } from '../care/progress.ts';
import type { Invocation } from '../cli/command.ts';
import { exitStatus } from '../cli/failure.ts';
import { toJsonLine, toVisible } from '../cli/visible.ts';

/** Prints the result of a command: facts as one line of JSON for programs, or a sentence for people. */
export async function answer(
  { flags, terminal }: Invocation,
  facts: Readonly<Record<string, unknown>>,
  sentence: string,
): Promise<number> {
  const shown =
    flags.json === true ? toJsonLine({ ok: true, ...facts }) : toVisible(sentence, { keepLines: true });
  await terminal.print(shown);
  return exitStatus.done;
}

/** Shows progress on a terminal, or wherever somebody asks for it. */
export function toProgress({ flags }: Invocation): Progress {
  const isTerminal = process.stderr.isTTY === true;
  if (!isTerminal && flags.progress !== true) return noProgress;
  const write = (text: string) => void process.stderr.write(text);
  return createProgress({ write, isTerminal, now: () => performance.now() });
}
