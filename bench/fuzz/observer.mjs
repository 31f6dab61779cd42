// Loaded into the process under trial: tells its parent what it holds after everything that can go is gone.
import { setTimeout as pause } from 'node:timers/promises';

process.on('message', async () => {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc();
    await pause(50);
  }
  process.send({
    heapBytes: process.memoryUsage().heapUsed,
    resources: process.getActiveResourcesInfo().length,
  });
});
// It alone does not keep the process alive.
process.channel?.unref();
