import { laneName, topicName } from '../contract/fields.ts';

/** What a resource of this server shows. */
export type BusResource =
  | Readonly<{ kind: 'status' }>
  | Readonly<{ kind: 'lane'; lane: string }>
  | Readonly<{ kind: 'topic'; topic: string }>;

export const statusUri = 'bus://status';
export const laneUriTemplate = 'bus://lanes/{lane}';
export const topicUriTemplate = 'bus://topics/{topic}';

/** The one canonical URI of a resource. */
export function toUri(resource: BusResource): string {
  if (resource.kind === 'status') return statusUri;
  return resource.kind === 'lane'
    ? laneUriTemplate.replace('{lane}', encodeURIComponent(resource.lane))
    : topicUriTemplate.replace('{topic}', encodeURIComponent(resource.topic));
}

/** The resource that a URI names, in any spelling; undefined for resources that this server does not have. */
export function parseUri(uri: string): BusResource | undefined {
  if (uri === statusUri) return { kind: 'status' };
  const [, kind, name = ''] = /^bus:\/\/(lanes|topics)\/([^/?#]+)$/.exec(uri) ?? [];
  const decoded = decode(name);
  if (kind === 'lanes' && laneName.safeParse(decoded).success) return { kind: 'lane', lane: decoded };
  if (kind === 'topics' && topicName.safeParse(decoded).success) return { kind: 'topic', topic: decoded };
  return undefined;
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return '';
  }
}
