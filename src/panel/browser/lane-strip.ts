import { toDuration } from '../duration.ts';
import { toVisibleName } from '../visible.ts';
import { makeSvg, toClockTime } from './dom.ts';
import { toHue } from './hues.ts';
import { type Mark, type Span, type Timeline, toTimelineText, type Window } from './timeline.ts';

/** The last hour of one lane as a strip: bars in the colours of the owners, and marks where it changed hands. */
export function paintStrip(strip: SVGElement, timeline: Timeline, window: Window): void {
  const place = (at: number) => ((at - window.from) / (window.to - window.from)) * 100;
  strip.setAttribute('aria-label', toTimelineText(timeline));
  strip.replaceChildren(
    ...timeline.spans.flatMap((span) => makeSpan(span, place)),
    ...timeline.marks.map((mark) => makeMark(mark, place(mark.at))),
  );
}

export function makeStrip(): SVGElement {
  return makeSvg('svg', { class: 'strip', role: 'img', focusable: 'false' });
}

function makeSpan(span: Span, place: (at: number) => number): SVGElement[] {
  const lapsedAt =
    span.lapsedAt === undefined ? span.to : Math.max(span.from, Math.min(span.lapsedAt, span.to));
  const held = makeRect(place(span.from), place(lapsedAt), { class: 'held', 'data-hue': toHue(span.owner) });
  held.append(makeTitle(toSpanText({ ...span, to: lapsedAt })));
  if (lapsedAt >= span.to) return [held];
  const lapsed = makeRect(place(lapsedAt), place(span.to), { class: 'lapsed' });
  lapsed.append(makeTitle(`the lease of ${toVisibleName(span.owner)} ran out at ${toClockTime(lapsedAt)}`));
  // It ran out before what is shown begins.
  return lapsedAt <= span.from ? [lapsed] : [held, lapsed];
}

function makeRect(from: number, to: number, attributes: Readonly<Record<string, string>>): SVGElement {
  const x = `${Math.max(0, from).toFixed(3)}%`;
  // However short, it was held: a sliver stays to be seen.
  const width = `${Math.max(0.35, to - Math.max(0, from)).toFixed(3)}%`;
  return makeSvg('rect', { x, width, y: 4, height: 12, rx: 2, ...attributes });
}

const markPaths = {
  claim: 'M0 2.5V17.5',
  steal: 'M0 4.5L5 10L0 15.5L-5 10Z',
  release: 'M0 7.4A2.6 2.6 0 1 1 0 12.6A2.6 2.6 0 1 1 0 7.4Z',
};

function makeMark(mark: Mark, x: number): SVGElement {
  const path = makeSvg('path', { class: mark.kind, d: markPaths[mark.kind] });
  path.append(makeTitle(toMarkText(mark)));
  // A nested drawing is placed in percent and drawn in pixels, so that its shape stays whole at any width.
  return makeSvg('svg', { x: `${x.toFixed(3)}%`, overflow: 'visible', height: 20 }, path);
}

function makeTitle(text: string): SVGElement {
  const title = makeSvg('title');
  title.textContent = text;
  return title;
}

function toSpanText({ owner, fence, from, to, isCutOff }: Span): string {
  const start = isCutOff ? 'before this hour' : toClockTime(from);
  const length = isCutOff ? '' : `, ${toDuration((to - from) / 1000)}`;
  return `${toVisibleName(owner)}, fence ${fence}: ${start} to ${toClockTime(to)}${length}`;
}

function toMarkText({ kind, at, owner, by }: Mark): string {
  const act = { claim: 'claimed by', steal: 'stolen by', release: 'released by' }[kind];
  const whose = by === undefined ? '' : `, left behind by ${toVisibleName(owner)}`;
  return `${toClockTime(at)} ${act} ${toVisibleName(by ?? owner)}${whose}`;
}
