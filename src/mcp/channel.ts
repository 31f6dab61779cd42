import type { Server } from '@modelcontextprotocol/server';
import type { Bus } from '../contract/contract.ts';
import { replaceHiddenInName, replaceHiddenInText } from '../contract/hidden.ts';
import type { FeedEvent } from '../feed/follow.ts';
import { pause } from '../lease/timers.ts';
import { shortenBody } from './brief.ts';
import type { Log } from './call.ts';
import { tellNews } from './feed.ts';

/**
 * The capability by which a client recognises that this server sends such events. It is a preview in one client, in
 * one protocol version.
 */
export const channelCapability = { 'claude/channel': {} };

export type ChannelOptions = Readonly<{
  bus: Bus;
  /** Posts to these topics are passed on. */
  topics: readonly string[];
  /** Whether it is the id of the agent itself, to which its own posts are no news. */
  isOwn: (sender: string) => boolean;
  log: Log;
}>;

const bodyCharactersMax = 4_000;

/** Passes on every post to the topics, from when the client has opened the session until it ends. */
export function openChannel(server: Server, options: ChannelOptions): void {
  const { bus, log } = options;
  const end = new AbortController();
  server.oninitialized = () => {
    const onEvents = (events: readonly FeedEvent[]) => passOn(server, events, options, end.signal);
    tellNews({ bus, onEvents, log, signal: end.signal }).catch((error) => {
      if (!end.signal.aborted) log('posts are not passed on to the channel', error);
    });
  };
  server.onclose = () => end.abort();
}

/** Added to the instructions. */
export function toChannelInstructions(topics: readonly string[]): string {
  return `Posts to ${topics.map((topic) => JSON.stringify(topic)).join(', ')} arrive by themselves as <channel> events with their sender, topic and id; answer with post_message.`;
}

/** More posts than this are reported as one event with their number, because each event interrupts the agent. */
const postsToldMax = 3;
/** After that nothing is reported for this long, however many follow. */
const crowdMilliseconds = 2_000;

type Post = NonNullable<FeedEvent['message']>;
type ChannelEvent = Readonly<{ content: string; meta: Readonly<Record<string, string>> }>;

async function passOn(
  server: Server,
  events: readonly FeedEvent[],
  { topics, isOwn, log }: ChannelOptions,
  signal: AbortSignal,
): Promise<void> {
  const posts = events.flatMap(({ kind, message }) =>
    kind === 'message_posted' && message ? [message] : [],
  );
  const news = posts.filter(({ topic, sender }) => topics.includes(topic) && !isOwn(sender));
  const isCrowd = news.length > postsToldMax;
  for (const params of isCrowd ? [toCrowdEvent(news)] : news.map(toEvent)) {
    await server
      .notification({ method: 'notifications/claude/channel', params } as never)
      .catch((error) => log('a post could not be passed on to the channel', error));
  }
  if (isCrowd) await pause(crowdMilliseconds, signal);
}

function toEvent(post: Post): ChannelEvent {
  const { id, topic, sender } = post;
  return {
    content: toContent(post),
    // The client turns these into attributes and accepts only names of this form.
    meta: { sender: toAttribute(sender), topic: toAttribute(topic), id: String(id) },
  };
}

function toCrowdEvent(posts: readonly Post[]): ChannelEvent {
  const topics = [...new Set(posts.map(({ topic }) => topic))];
  const since = Math.min(...posts.map(({ id }) => id)) - 1;
  const named = topics.map((topic) => JSON.stringify(toAttribute(topic))).join(', ');
  return {
    content: `${posts.length} messages were posted to ${named}: read them with read_messages, since_id=${since}`,
    meta: { count: String(posts.length), since_id: String(since) },
  };
}

/** A peer must not be able to close the element that the client puts around its text, nor fill the context. */
function toContent(message: Readonly<{ id: number; body: string }>): string {
  const shown = shortenBody(message, bodyCharactersMax);
  return toShown(shown.replace(/<(?=\/?\s*channel)/gi, '&lt;'));
}

function toAttribute(text: string): string {
  return replaceHiddenInName(text, toSign).replace(/["<>&]/g, '_');
}

function toShown(text: string): string {
  return replaceHiddenInText(text, toSign);
}

function toSign(): string {
  return '\ufffd';
}
