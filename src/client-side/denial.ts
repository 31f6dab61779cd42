import { replaceHiddenInName } from '../contract/hidden.ts';

/** A path that somebody is about to change, and the lane of another that covers it: a row of `POST /paths/check`. */
export type HeldPath = Readonly<{
  path: string;
  lane: string;
  owner: string;
  expires_in_s: number;
  note?: string | undefined;
}>;

/** What the agent reads must not crowd out its work. */
const charactersMax = 300;

/**
 * The one line that an agent reads when its edit is stopped: which file, who holds it, what for, how long still, and what
 * to do now. The note is the words of a peer, so it stands in quotes, and it is the first to be cut. The call to make is
 * kept whole as long as it fits.
 */
export function toDenial(held: readonly HeldPath[]): string {
  const [first] = held;
  if (!first) return '';
  const others = new Set(held.map(({ path }) => path)).size - 1;
  const lane = toOneLine(first.lane);
  const path = toOneLine(first.path);
  const owner = shorten(toOneLine(first.owner), 60);
  const toCall = (paths: string) => `claim_lane(lane="${lane}", paths=[${paths}], wait_s=45)`;
  const toLine = (file: string, note: string, call: string) =>
    [
      `${file} is held by '${owner}' for ${toDuration(first.expires_in_s)} more`,
      note === '' ? '' : `: "${note}"`,
      others > 0 ? ` (${others} more ${others === 1 ? 'file is' : 'files are'} held too)` : '',
      `. Wait: ${call}, ask '${owner}', or leave that file.`,
    ].join('');
  const note = toOneLine(first.note ?? '').replaceAll('"', "'");
  const calls = [toCall(JSON.stringify(path)), toCall('…')];
  const files = [path, shortenStart(path, 60)];
  for (const file of files) {
    for (const call of calls) {
      const room = charactersMax - toLine(file, note === '' ? '' : '.', call).length + 1;
      if (room >= Math.min(note.length, noteCharactersMin)) return toLine(file, shorten(note, room), call);
    }
  }
  return shorten(toLine(shortenStart(path, 40), '', calls[1] ?? ''), charactersMax);
}

/** A shorter piece of a note says nothing. */
const noteCharactersMin = 12;

function toDuration(seconds: number): string {
  return seconds < 120 ? `${Math.max(0, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
}

function toOneLine(text: string): string {
  return replaceHiddenInName(String(text), () => ' ').replace(/ {2,}/g, ' ');
}

function shorten(text: string, charactersAllowed: number): string {
  if (text.length <= charactersAllowed) return text;
  return `${text.slice(0, Math.max(0, charactersAllowed - 1)).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The end of a path says most. */
function shortenStart(text: string, charactersAllowed: number): string {
  return text.length <= charactersAllowed
    ? text
    : `…${text.slice(1 - charactersAllowed).replace(/^[\udc00-\udfff]/, '')}`;
}
