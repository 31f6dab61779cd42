import { make, part } from './dom.ts';

/** A sentence for a moment: what became of what a person did, or that somebody asks for one. It is read out too. */
export type Notices = Readonly<{ say: (sentence: string, kind?: 'done' | 'failed') => void }>;

const shownMilliseconds = 8_000;
const noticesMax = 3;

export function createNotices(): Notices {
  const host = part('notices');
  return {
    say(sentence, kind = 'done') {
      const notice = make('p', { class: `notice is-${kind}`, dir: 'auto' }, sentence);
      host.append(notice);
      while (host.childElementCount > noticesMax) host.firstElementChild?.remove();
      setTimeout(() => notice.remove(), shownMilliseconds);
    },
  };
}
