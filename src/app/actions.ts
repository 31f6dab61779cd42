import type { Actions } from '../cli/command.ts';
import { closeInherited } from '../daemon/descriptors.ts';
import { connect } from './connect.ts';
import { startedVariable } from './local.ts';

/**
 * What commands do that the command line itself does not know about. Each part is loaded only when it is needed,
 * because commands start often and most need little.
 */
export const actions: Actions = {
  openBus: connect,

  async serve(config, terminal) {
    const isStarted = process.env[startedVariable] !== undefined;
    if (isStarted) closeInherited(process.env);
    const { serveUntilIdle, serveUntilStopped } = await import('./serve.ts');
    await (isStarted ? serveUntilIdle(config) : serveUntilStopped(config, terminal));
  },

  async mcp(config) {
    const { serveMcp } = await import('./stdio.ts');
    await serveMcp(config);
  },
};
