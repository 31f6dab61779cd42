import { agentId } from './fields.ts';
import { toInvalidInput } from './input.ts';

/** The header in which a caller says which agent it is, where the call itself does not. */
export const agentHeader = 'x-bus-agent';

/** The calling agent, if the client is set up to name it. */
export function fromAgentHeader(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  // Node reads headers as latin1, so this restores the bytes that were sent.
  const given = Buffer.from(String(header), 'latin1').toString('utf8');
  if (agentId.safeParse(given).success && !given.includes('\ufffd')) return given;
  throw toInvalidInput([
    { field: agentHeader, message: 'must be an agent id of 1 to 200 characters in UTF-8' },
  ]);
}

/** The header for an id; nothing for one with a sign that no header can carry. */
export function toAgentHeader(agent: string | undefined): Readonly<Record<string, string>> {
  const bytes = Buffer.from(agent ?? '', 'utf8').toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are the signs that a header cannot carry
  if (bytes === '' || /[\u0000-\u001f\u007f]/.test(bytes) || bytes.trim() !== bytes) return {};
  return { [agentHeader]: bytes };
}
