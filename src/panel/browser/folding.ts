const foldedCharactersMax = 600;
const foldedLinesMax = 8;

/** The beginning of a body that is too long to show at once, or undefined for one that is not. */
export function toFolded(body: string): string | undefined {
  // A little more than what is shown is not worth a button.
  const lines = body.split('\n', foldedLinesMax + 3);
  const byLines = lines.length > foldedLinesMax + 2 ? lines.slice(0, foldedLinesMax).join('\n') : body;
  if (byLines.length <= foldedCharactersMax) return byLines.length < body.length ? byLines : undefined;
  if (byLines.length === body.length && body.length <= foldedCharactersMax * 1.2) return undefined;
  const cut = byLines.slice(0, foldedCharactersMax);
  return isHighSurrogate(cut.charCodeAt(cut.length - 1)) ? cut.slice(0, -1) : cut;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
