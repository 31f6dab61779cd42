// Who has to change what. The lists overlap, because everybody works on the same few files.

const words = ['fix', 'refactor', 'speed-up', 'test', 'document', 'rename'];

/** A list of tasks for each agent; the same seed gives the same lists. */
export function toTasks({ agentCount, taskCount, seed, files }) {
  const random = createRandom(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  return Array.from({ length: agentCount }, () =>
    Array.from({ length: taskCount }, () => {
      const first = pick(files);
      // Those who change a file often change its neighbours in the same folder too.
      const neighbours = files.filter((file) => file !== first && folderOf(file) === folderOf(first));
      const more = neighbours.filter(() => random() < 0.4).slice(0, 2);
      const word = pick(words);
      return { word, files: [first, ...more], guessedName: guessName({ file: first, word, pick }) };
    }),
  );
}

/**
 * What an agent that knows no lane names calls its work. Seen in practice: the file, the file without its ending, the
 * folder, the action, the whole repository. Two agents agree only where they happen to guess alike.
 */
function guessName({ file, word, pick }) {
  const base = file.split('/').at(-1);
  const stem = base.replace(/\.\w+$/, '');
  return pick([
    file.replaceAll('/', '-'),
    stem,
    folderOf(file).replaceAll('/', '-'),
    `${word}-${stem}`,
    'repo',
  ]);
}

function folderOf(file) {
  return file.split('/').slice(0, -1).join('/');
}

function createRandom(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
