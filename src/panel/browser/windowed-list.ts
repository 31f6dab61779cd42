/** A row on the page: its element, and how it takes a newer version of its item. */
export type Row<Item> = Readonly<{ element: HTMLElement; update: (item: Item) => void }>;

export type WindowedList<Item> = Readonly<{
  /** Shows these items in this order. */
  set: (items: readonly Item[]) => void;
  /** Lets the rows that are on the page look at the time again. */
  refresh: () => void;
  /** Puts the row on the page, wherever it stands in the list. */
  reveal: (key: string | number) => HTMLElement | undefined;
}>;

type Chunk<Item> = { element: HTMLElement; items: Item[]; isFilled: boolean; height: number | undefined };

/**
 * A list of any length of which only the rows near the screen are in the document.
 *
 * Rows are grouped in chunks. A chunk far from the screen is an empty box as high as its rows were, or are guessed to
 * be, so that the scroll bar tells the truth and the browser has little to lay out.
 */
export function createWindowedList<Item>(
  options: Readonly<{
    host: HTMLElement;
    keyOf: (item: Item) => string | number;
    /** Items with the same answer stand in one chunk; neighbours only. */
    chunkOf: (item: Item, index: number) => number;
    toRow: (item: Item) => Row<Item>;
    heightGuessed: number;
    /** The role of a chunk with rows in it, where the role of the host asks for one between. */
    chunkRole?: string;
    /** Rows say where they stand in the whole list, which is not in the document. */
    setPlace?: (element: HTMLElement, index: number) => void;
  }>,
): WindowedList<Item> {
  const { host, keyOf, chunkOf, chunkRole } = options;
  const chunks = new Map<number, Chunk<Item>>();
  const chunkOfElement = new WeakMap<Element, Chunk<Item>>();
  const rows = createRows(options);
  let places = new Map<string | number, number>();
  let heightOfRow = options.heightGuessed;

  const margins = { rootMargin: margin, scrollMargin: margin };
  const observer = new IntersectionObserver(onIntersection, margins);

  function onIntersection(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting, boundingClientRect } of entries) {
      const chunk = chunkOfElement.get(target);
      if (!chunk || chunk.isFilled === isIntersecting) continue;
      if (isIntersecting) fillChunk(chunk);
      else if (!target.contains(document.activeElement)) emptyChunk(chunk, boundingClientRect.height);
    }
  }

  function set(items: readonly Item[]): void {
    const groups = new Map<number, Item[]>();
    places = new Map();
    for (const [index, item] of items.entries()) {
      const key = chunkOf(item, index);
      const group = groups.get(key);
      if (group) group.push(item);
      else groups.set(key, [item]);
      places.set(keyOf(item), index);
    }
    for (const [key, chunk] of chunks) if (!groups.has(key)) dropChunk(key, chunk);
    let before: Element | null = null;
    for (const [key, group] of groups) {
      const chunk = chunks.get(key) ?? addChunk(key);
      if (chunk.items.length !== group.length) chunk.height = undefined;
      chunk.items = group;
      const next: Element | null = before ? before.nextElementSibling : host.firstElementChild;
      if (next !== chunk.element) host.insertBefore(chunk.element, next);
      before = chunk.element;
    }
    rows.keep(places);
    const all = [...groups.keys()].map((key) => chunks.get(key) as Chunk<Item>);
    if (all.length > 0 && !all.some(({ isFilled }) => isFilled)) fillChunk(all[0] as Chunk<Item>);
    for (const chunk of all) {
      if (chunk.isFilled) placeRows(chunk);
      else setHeight(chunk);
    }
    // Rows may have moved into chunks that are empty boxes now.
    const filled = all.reduce((sum, { isFilled, items }) => sum + (isFilled ? items.length : 0), 0);
    if (rows.count() > filled) for (const { isFilled, items } of all) if (!isFilled) rows.forget(items);
  }

  function addChunk(key: number): Chunk<Item> {
    const element = document.createElement('div');
    element.className = 'chunk';
    const chunk: Chunk<Item> = { element, items: [], isFilled: false, height: undefined };
    chunks.set(key, chunk);
    chunkOfElement.set(element, chunk);
    observer.observe(element);
    return chunk;
  }

  function dropChunk(key: number, chunk: Chunk<Item>): void {
    observer.unobserve(chunk.element);
    chunk.element.remove();
    chunks.delete(key);
  }

  function fillChunk(chunk: Chunk<Item>): void {
    chunk.isFilled = true;
    chunk.element.style.height = '';
    if (chunkRole) chunk.element.setAttribute('role', chunkRole);
    placeRows(chunk);
  }

  function emptyChunk(chunk: Chunk<Item>, height: number): void {
    chunk.height = height;
    if (chunk.items.length > 0) heightOfRow = (heightOfRow * 3 + height / chunk.items.length) / 4;
    chunk.isFilled = false;
    chunk.element.removeAttribute('role');
    rows.forget(chunk.items);
    chunk.element.replaceChildren();
    setHeight(chunk);
  }

  function setHeight(chunk: Chunk<Item>): void {
    chunk.element.style.height = `${chunk.height ?? Math.round(chunk.items.length * heightOfRow)}px`;
  }

  /** Rows that stand right already are not touched: moving one would take the focus from it. */
  function placeRows({ element, items }: Chunk<Item>): void {
    let next: Element | null = element.firstElementChild;
    for (const item of items) {
      const row = rows.take(item);
      if (row === next) next = next.nextElementSibling;
      else element.insertBefore(row, next);
      options.setPlace?.(row, places.get(keyOf(item)) ?? 0);
    }
    while (next) {
      const after: Element | null = next.nextElementSibling;
      next.remove();
      next = after;
    }
  }

  return {
    set,
    refresh: rows.refresh,
    reveal(key) {
      for (const chunk of chunks.values())
        if (!chunk.isFilled && chunk.items.some((item) => keyOf(item) === key)) fillChunk(chunk);
      return rows.find(key);
    },
  };
}

/** The rows that are on the page. */
function createRows<Item>({
  keyOf,
  toRow,
}: Readonly<{ keyOf: (item: Item) => string | number; toRow: (item: Item) => Row<Item> }>) {
  const rows = new Map<string | number, Row<Item> & { item: Item }>();
  return {
    count: () => rows.size,
    find: (key: string | number) => rows.get(key)?.element,
    /** The row of the item, as new as the item. */
    take(item: Item): HTMLElement {
      const known = rows.get(keyOf(item));
      if (known) {
        known.item = item;
        known.update(item);
        return known.element;
      }
      const row = { ...toRow(item), item };
      rows.set(keyOf(item), row);
      return row.element;
    },
    refresh(): void {
      for (const { update, item } of rows.values()) update(item);
    },
    forget(items: readonly Item[]): void {
      for (const item of items) rows.delete(keyOf(item));
    },
    /** Takes those away whose items are gone. */
    keep(wanted: ReadonlyMap<string | number, unknown>): void {
      for (const [key, { element }] of rows) {
        if (wanted.has(key)) continue;
        element.remove();
        rows.delete(key);
      }
    },
  };
}

/** How far from the screen rows are still kept, so that ordinary scrolling meets none that are missing. */
const margin = '600px 0px';
