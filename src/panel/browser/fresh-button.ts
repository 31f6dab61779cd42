import { part, setShown, setText } from './dom.ts';

/** Says how many messages came in above while a person reads further down, and leads back up. */
export function createFreshButton(feed: HTMLElement, goToNewest: () => void) {
  const button = part<HTMLButtonElement>('messages-fresh');
  const section = part('messages');
  const header = section.querySelector('header') as HTMLElement;
  let count = 0;
  let isFarDown = false;

  function clear(): void {
    count = 0;
    setShown(button, false);
  }

  button.addEventListener('click', () => {
    clear();
    section.scrollIntoView();
    goToNewest();
  });
  // Asked when something was scrolled and not when something is painted, where the answer would cost a layout.
  const onScroll = ({ target }: Event) => {
    if (!(target as Node).contains(feed)) return;
    // The beginning of the feed has gone under the header, which stays in sight.
    isFarDown = feed.getBoundingClientRect().top < header.getBoundingClientRect().bottom - 80;
    if (!isFarDown) clear();
  };
  document.addEventListener('scroll', onScroll, { capture: true, passive: true });

  return {
    isFarDown: () => isFarDown,
    clear,
    add(more: number): void {
      if (!isFarDown) return;
      count += more;
      setText(button, count === 1 ? '1 new message' : `${count} new messages`);
      setShown(button, true);
    },
  };
}
