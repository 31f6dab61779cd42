import { mcpHttpDoor } from './doors/mcp-http.ts';
import { runSuite } from './run.ts';

runSuite(mcpHttpDoor);
