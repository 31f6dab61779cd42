/** Rows under a heading, in columns as wide as their widest text; the last one may run on. */
export function toTable(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => toWidth(row[column]))));
  return all.map((row) =>
    row
      .map((text, column) => pad(text, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A duration in its two largest units: `45s`, `2m05s`, `3h20m`, `4d03h`. */
export function toDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${toTwoDigits(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${toTwoDigits(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86_400)}d${toTwoDigits(Math.floor((whole % 86_400) / 3600))}h`;
}

/** The clock time of an ISO timestamp in the zone of the reader, with the day in front when it was not today. */
export function toClockTime(timestamp: unknown, now: Date): string {
  const time = new Date(typeof timestamp === 'string' ? timestamp : Number.NaN);
  if (Number.isNaN(time.getTime())) return '--:--:--';
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(toTwoDigits).join(':');
  if (time.toDateString() === now.toDateString()) return clock;
  const day = [time.getMonth() + 1, time.getDate()].map(toTwoDigits).join('-');
  return time.getFullYear() === now.getFullYear()
    ? `${day} ${clock}`
    : `${time.getFullYear()}-${day} ${clock}`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - toWidth(text)));
}

function toWidth(text = ''): number {
  return [...text].length;
}

function toTwoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
