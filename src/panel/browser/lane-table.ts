import { part, setShown } from './dom.ts';
import { createWindowedList, type Row } from './windowed-list.ts';

const rowsPerChunk = 20;

/** A table of lanes of any length. What stands around it leaves the page with its last row. */
export function createLaneTable<Item extends Readonly<{ lane: string }>>(
  id: string,
  toRow: (item: Item) => Row<Item>,
) {
  const host = part(`${id}-rows`);
  const table = host.closest('[role=table]') as HTMLElement;
  const list = createWindowedList<Item>({
    host,
    keyOf: ({ lane }) => lane,
    chunkOf: (_, index) => Math.floor(index / rowsPerChunk),
    chunkRole: 'rowgroup',
    toRow,
    heightGuessed: 48,
    setPlace: (element, index) => element.setAttribute('aria-rowindex', String(index + 2)),
  });
  return {
    set(items: readonly Item[]): void {
      const focused = host.contains(document.activeElement) ? document.activeElement : undefined;
      list.set(items);
      // The row of the button that was pressed is gone: the keyboard goes on with the next one.
      if (focused && !focused.isConnected) (host.querySelector('button') ?? part('lanes')).focus();
      table.setAttribute('aria-rowcount', String(items.length + 1));
      setShown(table, items.length > 0);
      if (id !== 'held') setShown(part(id), items.length > 0);
    },
    refresh: list.refresh,
  };
}
