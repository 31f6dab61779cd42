// The ways of working together that are compared. Each says which claims an agent makes for a task, if any.

export const ways = [
  { name: 'no bus', usesBus: false },
  {
    name: 'lanes by guessed names',
    usesBus: true,
    toClaim: ({ guessedName }) => ({ lane: guessedName }),
  },
  {
    name: 'lanes with paths',
    usesBus: true,
    toClaim: ({ guessedName, files }, { index, number }) => ({
      // Names need not agree any more; these never do.
      lane: `${guessedName}-${index}-${number}`,
      paths: files,
    }),
    needs: (tools) =>
      'paths' in tools.claim_lane.inputSchema.properties
        ? undefined
        : 'claim_lane takes no paths in this build',
  },
];
