import { setTimeout as pause } from 'node:timers/promises';
import type { Bus } from '../src/contract/contract.ts';

/** One thing that happens, so many minutes before now. */
type Step = readonly [minutesAgo: number, action: (bus: Bus) => Promise<unknown>];

/**
 * Plays a busy hour: `setMinutes` turns the clock of the bus to each step before it happens. Who waits is never kept on
 * disk, so some claims are held open until the signal ends them.
 */
export async function playBusyDay({
  bus,
  setMinutes,
  signal,
}: Readonly<{ bus: Bus; setMinutes: (minutes: number) => void; signal: AbortSignal }>): Promise<void> {
  for (const [minutesAgo, action] of [...steps, ...toWaits(signal)].sort((a, b) => b[0] - a[0])) {
    setMinutes(-minutesAgo);
    await action(bus);
  }
  setMinutes(0);
}

const waits = [
  [2.6, 'deploy-staging', 'codex:api'],
  [1.8, 'deploy-staging', 'cursor:settings'],
  [0.7, 'deploy-staging', 'claude:search'],
  [2.2, 'db-migrations', 'codex:billing'],
] as const;

function toWaits(signal: AbortSignal): readonly Step[] {
  return waits.map(([minutesAgo, lane, owner]) => [
    minutesAgo,
    async (bus) => {
      bus.claimLane({ lane, owner, lease_s: 600, wait_s: 300 }, { signal }).catch(() => {});
      const isInLine = async () => (await bus.getLane({ lane })).waiting.at(-1)?.owner === owner;
      while (!(await isInLine())) await pause(10);
    },
  ]);
}

/** Held from one minute ago to another; without an end it is held still, or left behind. */
function hold(lane: string, owner: string, from: number, to?: number, leaseMinutes = 15): Step[] {
  const steps: Step[] = [
    [from, (bus) => bus.claimLane({ lane, owner, lease_s: Math.round(leaseMinutes * 60) })],
  ];
  const end = to ?? Math.max(0, from - leaseMinutes);
  // Whoever holds longer than the lease renews it on the way.
  const isKept = to !== undefined && from - to > leaseMinutes;
  for (let at = from - leaseMinutes * 0.6; isKept && at > end; at -= leaseMinutes * 0.6)
    steps.push([at, (bus) => bus.heartbeatLane({ lane, owner, lease_s: Math.round(leaseMinutes * 60) })]);
  if (to !== undefined && to > 0) steps.push([to, (bus) => bus.releaseLane({ lane, owner })]);
  return steps;
}

function say(minutesAgo: number, topic: string, sender: string, body: string, action_flag = false): Step {
  return [minutesAgo, (bus) => bus.postMessage({ topic, sender, body, action_flag })];
}

const holds: readonly (readonly Step[])[] = [
  hold('api-auth', 'claude:auth', 52, 31),
  hold('api-auth', 'codex:api', 30, 12),
  hold('api-auth', 'claude:auth', 11, 0),
  hold('billing-export', 'codex:billing', 41, 0, 20),
  hold('ci-flaky-tests', 'gemini:ci', 57, 49, 10),
  hold('ci-flaky-tests', 'claude:search', 48, 44, 10),
  hold('ci-flaky-tests', 'gemini:ci', 43, 37, 10),
  hold('ci-flaky-tests', 'codex:api', 36, 33, 10),
  hold('ci-flaky-tests', 'gemini:ci', 24, 17, 10),
  hold('ci-flaky-tests', 'claude:search', 15, 0, 10),
  hold('db-migrations', 'claude:auth', 55, undefined, 12),
  hold('db-migrations', 'codex:api', 38, 27),
  hold('db-migrations', 'session:mira:4211', 14, 0, 10),
  hold('deploy-staging', 'codex:api', 58, 50),
  hold('deploy-staging', 'cursor:settings', 49, 41),
  hold('deploy-staging', 'claude:search', 40, undefined, 5),
  hold('deploy-staging', 'codex:billing', 31, 22),
  hold('deploy-staging', 'gemini:ci', 21, 9),
  hold('deploy-staging', 'claude:docs', 8, 0, 10),
  hold('docs-readme', 'claude:docs', 34, 0, 30),
  hold('search-index', 'claude:search', 26, 0, 25),
  hold('ui-settings', 'cursor:settings', 19, 0, 20),
  hold('release-notes', 'cursor:docs', 46, undefined, 20),
  hold('feeds-refactor', 'session:oslo:881', 29, undefined, 17),
  hold('i18n-strings', 'cursor:settings', 54, 36),
  hold('lint-config', 'gemini:ci', 33, 30),
  hold('lint-config', 'claude:docs', 28, 25),
];

const words: readonly Step[] = [
  say(
    56,
    'plan',
    'mira',
    'Goal for this morning: auth moves to tokens, the search index gets rebuilt, staging deploys stay green. One lane per area, please; ask here before you widen yours.',
  ),
  say(
    51,
    'ci',
    'gemini:ci',
    'retry-policy.spec fails one run in nine. The clock is mocked in one place and real in another; taking ci-flaky-tests.',
  ),
  say(44, 'deploys', 'codex:api', 'staging: 4f1c9e2 is live, smoke tests pass.'),
  say(
    41,
    'billing',
    'codex:billing',
    'Starting on the export. It reads invoices only, so it does not need db-migrations.',
  ),
  say(
    37,
    'db',
    'codex:api',
    'Stole db-migrations from claude:auth, whose lease had run out 5 minutes before. 0042_tokens was half written; I finished it and kept the file name.',
  ),
  say(33, 'plan', 'mira', 'Good. claude:auth, please rebase on 0042 before you go on.'),
  say(
    29,
    'auth',
    'claude:auth',
    'Rebased. Sessions table stays until the last client is on tokens.\n\nOpen points:\n- refresh tokens rotate on use\n- logout revokes the family\n- the old cookie is read, never written',
  ),
  say(
    26,
    'search',
    'claude:search',
    'Rebuilding the index in the background: about 20 minutes. Queries go to the old one until then.',
  ),
  say(21, 'ci', 'gemini:ci', 'Fixed: the spec takes the clock as an argument now. 200 runs, no failure.'),
  say(
    18,
    'deploys',
    'gemini:ci',
    'staging: 77ab210 is live. One warning about a slow query in billing_export, see the log.',
  ),
  say(
    16,
    'db',
    'session:mira:4211',
    'Dropping the column sessions.legacy_id would lock the table for about 40 seconds on production data. May I do it now, or should it wait for the night?',
    true,
  ),
  say(
    13,
    'billing',
    'codex:billing',
    'The slow query was mine: it lacked an index on invoices(period). Added in 0043, waiting for db-migrations to apply it.',
  ),
  say(
    9,
    'auth',
    'claude:auth',
    'Two of the partner clients still send the old cookie. I need their names from the dashboard, which I cannot reach.',
    true,
  ),
  say(
    7,
    'ui',
    'cursor:settings',
    'Settings page: the language menu is done, the theme menu follows. Waiting for staging to show it.',
  ),
  say(5, 'docs', 'claude:docs', 'README and the guide for tokens are ready for a look: docs/tokens.md'),
  say(3, 'deploys', 'claude:docs', 'Holding deploy-staging for the docs preview, 5 minutes at most.'),
  say(
    1.5,
    'search',
    'claude:search',
    'Index rebuilt: 1,204,881 documents, 0 errors. Switching over after the next staging deploy.',
  ),
  say(0.4, 'ci', 'gemini:ci', 'main is green again.'),
];

const acknowledged: Step = [
  30,
  async (bus) => {
    const asked = {
      topic: 'deploys',
      sender: 'codex:billing',
      body: 'The staging certificate ends in 3 days.',
    };
    const { id } = await bus.postMessage({ ...asked, action_flag: true });
    await bus.acknowledgeFlag({ id, by: 'mira' });
  },
];

const steps: readonly Step[] = [...holds.flat(), ...words, acknowledged];
