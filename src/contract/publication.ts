/**
 * Whether the package is in the registry under its name. On the day of publication set this to true; `npm run
 * generate` then updates the documents and the plugin.
 */
export const isPublished: boolean = false;

/** How a person starts the command in any folder: from the registry, or after `npm install -g .` in a checkout. */
export const commandText = isPublished ? 'npx -y bus-mcp' : 'bus-mcp';
