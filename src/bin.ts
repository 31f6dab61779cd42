#!/usr/bin/env node
import { actions } from './actions.ts';
import { runCommandLine } from './cli/main.ts';
import { localCommands } from './local-commands.ts';
import { version } from './version.ts';

const status = await runCommandLine({
  argv: process.argv.slice(2),
  environment: process.env,
  output: process.stdout,
  errorOutput: process.stderr,
  version,
  actions,
  extraCommands: localCommands,
});
process.exit(status);
