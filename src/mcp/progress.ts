/** Reports the progress of a call to the client. Rejects when the client has disconnected. */
export type ProgressReport = (
  progress: Readonly<{ progress: number; total: number; message: string }>,
) => Promise<void>;

/** Reports at every interval until the work ends, because many clients give up on a call that stays silent. */
export async function withProgress<Answer>(
  wait: Readonly<{
    /** What the call waits for, in a few words. */
    waitingFor: string;
    waitSeconds: number;
    intervalMilliseconds: number;
    report: ProgressReport;
  }>,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const { waitSeconds, intervalMilliseconds, report } = wait;
  const message = `waiting for ${wait.waitingFor}`;
  let progress = 0;
  const timer = setInterval(() => {
    progress += intervalMilliseconds / 1000;
    report({ progress, total: Math.max(waitSeconds, progress), message }).catch(ignoreDeparture);
  }, intervalMilliseconds);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** If the connection ends, the call ends too, and there is nobody to report to. */
function ignoreDeparture(): void {}
