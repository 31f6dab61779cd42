import { engineDoor } from './doors/engine.ts';
import { runSuite } from './run.ts';

runSuite(engineDoor);
