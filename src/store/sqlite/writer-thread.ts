import { parentPort, workerData } from 'node:worker_threads';
import { errorNumberOf, loadDriver } from './driver.ts';
import type { CommitRequest } from './write.ts';
import { createRowWriter, prepareForWriting } from './write.ts';

/** The thread that waits for the disk, so that no read ever does. It knows rows only; what to write was decided. */
export type WriterAnswer = Readonly<{ errorNumber?: number | undefined; reason?: string | undefined }>;

if (parentPort) listen(parentPort, (workerData as { path: string }).path);

function listen(port: NonNullable<typeof parentPort>, path: string): void {
  const database = loadDriver().open(path);
  prepareForWriting(database);
  const write = createRowWriter(database);
  port.on('message', (request: CommitRequest | 'close') => {
    if (request === 'close') {
      database.close();
      port.close();
      return;
    }
    port.postMessage(attempt(() => write(request)));
  });
  port.postMessage({});
}

function attempt(deed: () => void): WriterAnswer {
  try {
    deed();
    return {};
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { reason, errorNumber: errorNumberOf(error) };
  }
}
