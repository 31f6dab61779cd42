/**
 * Reads a time that a person typed: a day (`2026-01-31`), a day with a time of day (`2026-01-31 12:00`, with or without
 * a zone), or an age (`30d`, `12h`, `90m`). Without a zone it means the zone in which the command line shows times.
 * Returns UTC in ISO 8601, or nothing for any other text. `now` is what ages count back from.
 */
export function parseTypedTime(text: string, now: Date): string | undefined {
  const age = /^(\d{1,6})([dhm])$/.exec(text);
  if (age) return toIso(now.getTime() - Number(age[1]) * unitMilliseconds(age[2]));
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(
    text,
  );
  const [, day = '', time = '00:00', zone = ''] = parts ?? [];
  return isDay(day) ? toIso(Date.parse(`${day}T${time}${zone}`)) : undefined;
}

/** JavaScript takes the 31st of February for a day in March. */
function isDay(day: string): boolean {
  const midnight = new Date(`${day}T00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}

function toIso(milliseconds: number): string | undefined {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

function unitMilliseconds(unit: string | undefined): number {
  if (unit === 'd') return 86_400_000;
  return unit === 'h' ? 3_600_000 : 60_000;
}
