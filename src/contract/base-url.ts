/** The path under which a bus of this project answers. */
const basePath = '/api/bus';

/** Whether an address names a server and no path on it, as somebody types who only knows where the bus listens. */
export function lacksPath(url: URL): boolean {
  return url.pathname === '/' && url.search === '' && url.hash === '';
}

/** The same address with the usual path of a bus. */
export function withBasePath(url: URL): URL {
  return new URL(basePath, url);
}

/**
 * An address as it may be shown: without the name and the password in it, and without what follows its path. What is
 * no address loses everything up to its last `@`, because nobody can tell where a password begins in it.
 */
export function toShownUrl(text: string): string {
  if (!URL.canParse(text)) return text.replace(/^.*@/s, '…@').replace(/[?#].*$/s, '');
  const { protocol, host, pathname, origin } = new URL(text);
  if (origin === 'null') return text.replace(/^.*@/s, '…@').replace(/[?#].*$/s, '');
  return `${protocol}//${host}${pathname}`;
}
