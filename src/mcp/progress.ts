/** Tells the client how far a call is. Rejects when the client has gone. */
export type ProgressReport = (
  progress: Readonly<{ progress: number; total: number; message: string }>,
) => Promise<void>;

/** Reports at every interval until the work ends: many clients give up on a call that they hear nothing of. */
export async function withProgress<Answer>(
  wait: Readonly<{
    /** What is waited for, in a few words. */
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

/** The end of the connection ends the call too, and there is nobody left to tell. */
function ignoreDeparture(): void {}
