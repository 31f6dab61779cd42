import { httpDoor } from './doors/http.ts';
import { runSuite } from './run.ts';

runSuite(httpDoor);
