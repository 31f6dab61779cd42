import { defineConfig } from 'vitest/config';

/** `npm run clients`: the real clients, which the ordinary tests do without because each is hundreds of megabytes. */
export default defineConfig({
  test: {
    include: ['test/clients/**/*.client.ts'],
    globalSetup: ['test/build.ts'],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 360_000,
  },
});
