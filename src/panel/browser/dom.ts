import { toAge, toSpan } from '../duration.ts';
import { toVisibleName } from '../visible.ts';

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element with its attributes and children. Text is always text, never markup. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  return fill(document.createElement(name), attributes, children);
}

export function makeSvg(name: string, attributes: Attributes = {}, ...children: readonly Node[]): SVGElement {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

/** What an agent wrote, kept apart from the text around it: its writing direction ends with it. */
export function makePeerText(text: string, className = ''): HTMLElement {
  return make('bdi', { class: `peer ${className}`.trim() }, toVisibleName(text));
}

/** An element of the document that the page cannot do without. */
export function part<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the document has no element '${id}'`);
  return element as Kind;
}

/** Sets the text only when it differs, so that nothing is laid out again, and no selection is lost, for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setShown(element: HTMLElement, isShown: boolean): void {
  if (element.hidden === isShown) element.hidden = !isShown;
}

/** Tells when the element comes near the screen, or leaves it; also within a part of the page that is scrolled itself. */
export function watchNear(element: Element, margin: string, onChange: (isNear: boolean) => void): void {
  const options = { rootMargin: margin, scrollMargin: margin };
  const observer = new IntersectionObserver((entries) => {
    const last = entries.at(-1);
    if (last) onChange(last.isIntersecting);
  }, options);
  observer.observe(element);
}

/** A time as how long ago it was, with the exact one for whoever points at it. */
export function makeTime(timestamp: string): HTMLTimeElement {
  return make('time', { datetime: timestamp, title: toExactTime(timestamp) });
}

export function setAge(element: HTMLTimeElement, now: number): void {
  setText(element, toAge((now - Date.parse(element.dateTime)) / 1000));
}

/** The time since then, for what goes on. */
export function setSpan(element: HTMLTimeElement, now: number): void {
  setText(element, toSpan((now - Date.parse(element.dateTime)) / 1000));
}

export function toExactTime(timestamp: string | number): string {
  return exactFormat.format(new Date(timestamp));
}

export function toClockTime(timestamp: string | number): string {
  return clockFormat.format(new Date(timestamp));
}

const exactFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const clockFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

function fill<Kind extends Element>(
  element: Kind,
  attributes: Attributes,
  children: readonly (Node | string)[],
): Kind {
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}
