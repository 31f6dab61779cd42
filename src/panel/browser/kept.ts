/** A text that outlives the page, as long as the storage it is kept in. */
export type Kept = Readonly<{
  get: () => string | undefined;
  set: (text: string) => void;
  forget: () => void;
}>;

/** Where the browser was told to keep nothing, the text lives as long as the page. */
export function createKept(openStorage: () => Storage, key: string): Kept {
  let text: string | undefined;
  let storage: Storage | undefined;
  try {
    storage = openStorage();
    text = storage.getItem(key) ?? undefined;
  } catch {
    storage = undefined;
  }
  return {
    get: () => text,
    set(next) {
      text = next;
      storage?.setItem(key, next);
    },
    forget() {
      text = undefined;
      storage?.removeItem(key);
    },
  };
}
