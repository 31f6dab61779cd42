import type { Bus } from '../contract/contract.ts';
import type { FeedEvent } from '../feed/follow.ts';
import type { Log } from './call.ts';
import { tellNews } from './feed.ts';
import { parseUri, statusUri, toUri } from './uris.ts';

/** Reports changes of resources that somebody subscribed to. */
export type Watcher = Readonly<{
  /**
   * Sets the URIs that this holder hears of, replacing earlier ones. Resolves once no later change can be missed.
   * Rejects when the bus cannot report changes, and then the holder hears of nothing.
   */
  set(holder: unknown, uris: readonly string[]): Promise<void>;
  close(): void;
}>;

export type WatcherOptions = Readonly<{
  bus: Bus;
  /** Called once per read of the feed for each URI that changed, spelled as it was asked for. */
  onUpdated: (uri: string) => void;
  log: Log;
}>;

type Following = Readonly<{ end: AbortController; started: Promise<void> }>;

/** A URI as it was asked for, and its canonical spelling. */
type Wanted = Readonly<{ uri: string; canonical: string }>;

/** Reads the feed only while somebody is subscribed, and once for all subscribers. */
export function createWatcher({ bus, onUpdated, log }: WatcherOptions): Watcher {
  const wantedBy = new Map<unknown, readonly Wanted[]>();
  let following: Following | undefined;

  function start(): Following {
    const end = new AbortController();
    return { end, started: tellNews({ bus, onEvents, log, signal: end.signal }) };
  }

  function stop(): void {
    following?.end.abort();
    following = undefined;
  }

  function onEvents(events: readonly FeedEvent[]): void {
    const changed = new Set(events.flatMap(toChangedUris));
    const told = new Set<string>();
    for (const wanted of wantedBy.values())
      for (const { uri, canonical } of wanted) if (changed.has(canonical)) told.add(uri);
    for (const uri of told) onUpdated(uri);
  }

  function forget(holder: unknown): void {
    wantedBy.delete(holder);
    if (wantedBy.size === 0) stop();
  }

  return {
    async set(holder, uris) {
      if (uris.length === 0) return forget(holder);
      wantedBy.set(holder, uris.map(toWanted));
      following ??= start();
      const current = following;
      try {
        await current.started;
      } catch (error) {
        if (following === current) stop();
        forget(holder);
        throw error;
      }
    },

    close() {
      wantedBy.clear();
      stop();
    },
  };
}

function toWanted(uri: string): Wanted {
  const resource = parseUri(uri);
  return { uri, canonical: resource ? toUri(resource) : uri };
}

/** Every event changes the status, and the resource that it is about. */
function toChangedUris({ lane, message }: FeedEvent): string[] {
  return [
    statusUri,
    ...(lane === undefined ? [] : [toUri({ kind: 'lane', lane })]),
    ...(message === undefined ? [] : [toUri({ kind: 'topic', topic: message.topic })]),
  ];
}
