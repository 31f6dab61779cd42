import { everyPart, type Part } from './model.ts';
import { isOutOfSight } from './sight.ts';

export type Painter = Readonly<{ paint: (dirty: Iterable<Part>) => void }>;

/** Paints what changed once per frame, however much changed. A hidden page has no frames, but a title to keep. */
export function createPainter(painters: Readonly<Record<Part, () => void>>): Painter {
  const waiting = new Set<Part>();
  let isDue = false;

  function paintAll(): void {
    isDue = false;
    const parts = everyPart.filter((part) => waiting.has(part));
    waiting.clear();
    for (const part of parts) painters[part]();
  }

  return {
    paint(dirty) {
      for (const part of dirty) waiting.add(part);
      if (isDue || waiting.size === 0) return;
      isDue = true;
      if (isOutOfSight()) setTimeout(paintAll, 100);
      else requestAnimationFrame(paintAll);
    },
  };
}
