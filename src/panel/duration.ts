/** A length of time in the two units that matter: `45s`, `2m 05s`, `3h 20m`, `4d 03h`. */
export function toDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return toTwoUnits(whole, 60, 'm', 1, 's');
  if (whole < 86_400) return toTwoUnits(whole, 3_600, 'h', 60, 'm');
  return toTwoUnits(whole, 86_400, 'd', 3_600, 'h');
}

/** The same in the one unit that matters: `40s`, `5 min`, `3 h`, `2 days`. */
export function toSpan(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h`;
  const days = Math.floor(whole / 86_400);
  return days === 1 ? '1 day' : `${days} days`;
}

/** How long ago, in the one unit that matters: `just now`, `40s ago`, `5 min ago`, `3 h ago`, `2 days ago`. */
export function toAge(seconds: number): string {
  if (seconds < 5) return 'just now';
  const span = toSpan(seconds);
  return span === '1 day' ? 'yesterday' : `${span} ago`;
}

function toTwoUnits(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string) {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeUnit} ${String(rest).padStart(2, '0')}${smallUnit}`;
}
