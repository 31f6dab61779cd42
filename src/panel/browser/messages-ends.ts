import { make, part, setShown, setText } from './dom.ts';
import type { Filters } from './filters.ts';
import { type MessageLog, toTest } from './message-log.ts';

const numberFormat = new Intl.NumberFormat('en');

/** What stands above and below the messages: how many there are, and where in the log they are from. */
export function createMessagesEnds({ log, filters }: Readonly<{ log: MessageLog; filters: Filters }>) {
  const place = part('messages-place');
  const placeText = make('span');
  const back = make('button', { type: 'button', class: 'quiet' }, 'Back to the newest');
  place.append(placeText, ' ', back);
  back.addEventListener('click', () => {
    filters.change({ until: undefined });
    part('messages').scrollIntoView();
  });

  function paint(shownCount: number): void {
    const filter = filters.read();
    const floor = log.floorOf(filter);
    const isWhole = floor <= 1;
    const isFiltered = filter.sender !== '' || filter.words !== '';
    setText(part('messages-more'), toCountSentence(shownCount, isFiltered, isWhole));
    setShown(part('messages-older'), !isWhole && floor !== Number.POSITIVE_INFINITY);
    setShown(part('messages-empty'), shownCount === 0);
    setText(part('messages-empty'), toEmptySentence(isFiltered || filter.topic !== '', isWhole));
    setShown(place, filter.until !== undefined);
    setText(placeText, `The log as it was at #${filter.until}.`);
  }

  function toCountSentence(shownCount: number, isFiltered: boolean, isWhole: boolean): string {
    const end = isWhole ? ', all there are.' : '.';
    if (!isFiltered) return shownCount === 0 ? '' : `${numberFormat.format(shownCount)} loaded${end}`;
    const filter = filters.read();
    const loaded = log.select(filter, toTest({ ...filter, sender: '', words: '' })).length;
    return `${numberFormat.format(shownCount)} of ${numberFormat.format(loaded)} loaded${end}`;
  }

  return { paint };
}

function toEmptySentence(isFiltered: boolean, isWhole: boolean): string {
  if (!isFiltered) return 'Nothing was posted yet.';
  return isWhole ? 'No message fits.' : 'No message that is loaded fits.';
}
