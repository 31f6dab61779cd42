import { mcpDoor } from './doors/mcp.ts';
import { runSuite } from './run.ts';

runSuite(mcpDoor);
