const name = 'Coordination bus';

/** The number of flags where a person sees it without opening the tab: in its title and on its icon. */
export function createTitle(): (flagCount: number, isAway: boolean) => void {
  const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  let shown = '';
  return (flagCount, isAway) => {
    const state = `${flagCount} ${isAway}`;
    if (state === shown) return;
    shown = state;
    const count = flagCount > 0 ? `(${flagCount}) ` : '';
    document.title = `${count}${name}${isAway ? ' – away' : ''}`;
    icon?.setAttribute('href', `data:image/svg+xml,${encodeURIComponent(toIcon(flagCount, isAway))}`);
  };
}

/** Numbers only go into this markup. */
function toIcon(flagCount: number, isAway: boolean): string {
  const ground = isAway ? '#7a828c' : '#2557c7';
  const lanes =
    '<path d="M7 11h18M7 16h11M7 21h15" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/>';
  const label = flagCount > 9 ? '9+' : String(flagCount);
  const badge =
    flagCount > 0
      ? `<circle cx="22" cy="10" r="9.5" fill="#c4221b" stroke="#fff" stroke-width="1.5"/><text x="22" y="14.6" font-family="sans-serif" font-size="13" font-weight="700" fill="#fff" text-anchor="middle">${label}</text>`
      : '';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="${ground}"/>${lanes}${badge}</svg>`;
}
