/** The same seed chooses the same actions and the same moments; what the machine makes of them is its own affair. */
export function createRandom(seed) {
  let state = seed >>> 0;
  function next() {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (bound) => Math.floor(next() * bound);
  return {
    below,
    between: (low, high) => low + below(high - low + 1),
    isLucky: (chance) => next() < chance,
    pick: (values) => values[below(values.length)],
  };
}
