// What the MCP library needs of its surroundings, as the build puts it into the bundle. The library's own version brings
// along a validator of 300 KB, for what users type in when a server asks them; this server asks nobody.
import nodeProcess from 'node:process';

export const process = nodeProcess;

export class DefaultJsonSchemaValidator {
  getValidator() {
    throw new Error('this server asks its users nothing, so there is nothing to validate');
  }
}
