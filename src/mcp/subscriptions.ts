import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type Server,
} from '@modelcontextprotocol/server';
import { limits } from '../contract/limits.ts';
import { toProtocolError } from './resources.ts';
import { parseUri } from './uris.ts';
import type { Watcher } from './watcher.ts';

/**
 * Handles `resources/subscribe` and `resources/unsubscribe`, which clients of the 2025 versions use on a connection
 * of their own.
 */
export function serveSubscriptions(server: Server, watcher: Watcher): void {
  const uris = new Set<string>();
  const watch = () => watcher.set(server, [...uris]);

  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }) => {
    checkUris([...uris, uri]);
    uris.add(uri);
    try {
      await watch();
    } catch (error) {
      uris.delete(uri);
      throw toProtocolError(error);
    }
    return {};
  });

  server.setRequestHandler('resources/unsubscribe', async ({ params: { uri } }) => {
    if (uris.delete(uri)) await watch();
    return {};
  });
}

/** Refuses resources that do not exist, and more of them than one caller may ask for. */
export function checkUris(uris: readonly string[]): void {
  const { mcpUrisPerSubscriberMax } = limits;
  if (new Set(uris).size > mcpUrisPerSubscriberMax) {
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      `at most ${mcpUrisPerSubscriberMax} resources can be subscribed to: bus://status changes with every one of them`,
    );
  }
  const unknown = uris.find((uri) => !parseUri(uri));
  if (unknown !== undefined) throw new ResourceNotFoundError(unknown.slice(0, 500));
}
