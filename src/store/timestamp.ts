/** Milliseconds since 1970 as an ISO 8601 text in UTC with milliseconds. */
export function toTimestamp(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000);
  const known = seconds.get(second) ?? writeSecond(second);
  return `${known}${String(milliseconds - second * 1000).padStart(3, '0')}Z`;
}

/** Responses of the same moment share their seconds, and formatting a date takes longer than deciding a claim. */
const seconds = new Map<number, string>();
const secondsMax = 1_000;

function writeSecond(second: number): string {
  if (seconds.size >= secondsMax) seconds.clear();
  const text = new Date(second * 1000).toISOString().slice(0, -'000Z'.length);
  seconds.set(second, text);
  return text;
}
