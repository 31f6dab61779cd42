/** Shows the progress of a long command. The command reports often; the display decides how often to redraw. */
export type Progress = Readonly<{
  /** `total` is absent when it is unknown. */
  report: (stage: string, done: number, total?: number) => void;
  /** Clears the display. */
  end: () => void;
}>;

export type ProgressOptions = Readonly<{
  write: (text: string) => void;
  /** A terminal shows one line that changes. A file or a pipe gets a new line from time to time. */
  isTerminal: boolean;
  now: () => number;
}>;

const terminalMilliseconds = 100;
const lineMilliseconds = 2_000;
const barCharacters = 24;

export function createProgress({ write, isTerminal, now }: ProgressOptions): Progress {
  const betweenMilliseconds = isTerminal ? terminalMilliseconds : lineMilliseconds;
  let shownStage = '';
  let shownAt = Number.NEGATIVE_INFINITY;

  function report(stage: string, done: number, total?: number): void {
    const isNews = stage !== shownStage;
    if (!isNews && now() - shownAt < betweenMilliseconds) return;
    shownStage = stage;
    shownAt = now();
    const text = `${stage}  ${toAmount(done, total)}`;
    write(isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
  }

  function end(): void {
    if (isTerminal && shownStage !== '') write('\r\u001b[K');
    shownStage = '';
  }

  return { report, end };
}

/** Shows nothing. */
export const noProgress: Progress = { report: () => {}, end: () => {} };

function toAmount(done: number, total: number | undefined): string {
  if (total === undefined || total <= 0) return done > 0 ? done.toLocaleString('en') : '…';
  const share = Math.min(done / total, 1);
  const filled = Math.round(share * barCharacters);
  const bar = `${'█'.repeat(filled)}${'░'.repeat(barCharacters - filled)}`;
  return `${bar} ${Math.floor(share * 100)} %  ${done.toLocaleString('en')} of ${total.toLocaleString('en')}`;
}
