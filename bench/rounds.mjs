// The machine's speed drifts, so what is compared is measured in turn, several rounds, and medians are told.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Measures each subject once a round, in turn. Gives the measurements of each by name. */
export async function inTurn({ rounds, subjects, measure, progress }) {
  const measured = new Map(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, subject] of Object.entries(subjects)) {
      progress(`${name}, round ${round} of ${rounds}`);
      measured.get(name).push(await measure(subject, name));
    }
  }
  return Object.fromEntries([...measured].map(([name, all]) => [name, summarize(all)]));
}

/** The median of each figure over the rounds. */
function summarize(measurements) {
  const figures = Object.keys(measurements[0]);
  return Object.fromEntries(
    figures.map((figure) => [figure, median(measurements.map((measurement) => measurement[figure]))]),
  );
}
