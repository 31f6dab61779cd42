/**
 * Whether the package can be fetched from the registry by its name. On the day of publication this becomes true, and
 * `npm run generate` turns the documents and the plugin around.
 */
export const isPublished: boolean = false;

/** How a person starts the command in any folder: as it comes from the registry, or after `npm install -g .` in a checkout. */
export const commandText = isPublished ? 'npx -y bus-mcp' : 'bus-mcp';
