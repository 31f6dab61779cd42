/** Seconds from `90s`, `5m`, `1h30m`, `2d` or a plain number; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const word = text.trim();
  if (/^\d+(\.\d+)?$/.test(word)) return Number(word);
  if (!/^(\d+(\.\d+)?[smhd])+$/.test(word)) return undefined;
  const parts = word.matchAll(/([\d.]+)([smhd])/g);
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * secondsOf[unit as Unit], 0);
}

/** The reverse, exactly: `300` becomes `5m`, `5400` becomes `1h30m`. */
export function toDurationText(seconds: number): string {
  if (!Number.isInteger(seconds) || seconds <= 0) return `${seconds}s`;
  let rest = seconds;
  const parts = (Object.keys(secondsOf) as Unit[]).map((unit) => {
    const count = Math.floor(rest / secondsOf[unit]);
    rest -= count * secondsOf[unit];
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('');
}

/** What a text that is not a duration should look like. */
export const durationProblem = 'must be a duration, as in 90s, 5m or 12h';

type Unit = keyof typeof secondsOf;
const secondsOf = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;
