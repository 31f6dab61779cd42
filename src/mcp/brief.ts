import type { Bus, Input, Output } from '../contract/contract.ts';
import { limits } from '../contract/limits.ts';
import { messageSchema } from '../contract/messages.ts';
import { toBriefStatus } from './brief-status.ts';

/**
 * The same bus, with answers that fit into the context of an agent, and that do not tell it again what it has just said.
 * Clients cut a result that is too long wherever they like, and the agent does not learn what it has missed.
 */
export function toBrief(bus: Bus): Bus {
  return {
    ...bus,
    postMessage: async (input, call) => withoutEcho(await bus.postMessage(input, call)),
    getBusStatus: async (input, call) => toBriefStatus(await bus.getBusStatus(input, call)),
    readMessages: async (input, call) => shortenPage(await bus.readMessages(input, call), input),
  };
}

/** The beginning of a body, and how to read the whole. */
export function shortenBody(
  { id, body }: Readonly<{ id: number; body: string }>,
  charactersMax: number,
): string {
  if (body.length <= charactersMax) return body;
  const start = body.slice(0, charactersMax).replace(/[\ud800-\udbff]$/, '');
  return `${start}… (cut; the whole: read_messages with since_id=${id - 1}, limit=1)`;
}

/** Buses of other versions leave fields out, or shape them differently. */
type Page = Partial<Output<'readMessages'>>;

/** The id, and whatever a newer bus has to say about the post beside the message itself. */
function withoutEcho(message: Output<'postMessage'>): Output<'postMessage'> {
  const news = Object.entries(message).filter(
    ([field]) => field === 'id' || !Object.hasOwn(messageSchema.shape, field),
  );
  return Object.fromEntries(news) as Output<'postMessage'>;
}

/** Removes rows from the end, so that reading on, in either direction, begins with them. */
function shortenPage(
  page: Output<'readMessages'>,
  { since_id }: Input<'readMessages'>,
): Output<'readMessages'> {
  const { messages, cursor }: Page = page;
  if (!Array.isArray(messages) || typeof cursor !== 'number') return page;
  let characters = 0;
  const fitting = messages.findIndex((message) => {
    characters += JSON.stringify(message).length;
    return characters > limits.toolPageCharactersMax;
  });
  if (fitting < 0) return page;
  const kept = messages.slice(0, Math.max(fitting, 1));
  if (kept.length === messages.length) return page;
  return {
    ...page,
    messages: kept,
    has_more: true,
    cursor: since_id === undefined ? cursor : (kept.at(-1)?.id ?? cursor),
  };
}
