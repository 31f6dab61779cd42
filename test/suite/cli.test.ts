import { cliDoor } from './doors/cli.ts';
import { runSuite } from './run.ts';

runSuite(cliDoor);
