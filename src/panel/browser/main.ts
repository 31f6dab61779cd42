import { toShortName } from '../visible.ts';
import { createActions } from './actions.ts';
import { createAgentsView } from './agents-view.ts';
import { createApi } from './api.ts';
import { createServerClock } from './clock.ts';
import { type ConnectionState, startConnection } from './connection.ts';
import { part } from './dom.ts';
import { createFlagsView } from './flags-view.ts';
import { createHeaderView } from './header-view.ts';
import { createKept } from './kept.ts';
import { createLanesView } from './lanes-view.ts';
import { createMessagesView } from './messages-view.ts';
import { createModel, type Part } from './model.ts';
import { createNotices } from './notices.ts';
import { createPainter } from './painter.ts';
import { createSecretKeeper } from './secret.ts';
import { isOutOfSight } from './sight.ts';
import { createStartView } from './start-view.ts';

const tickMilliseconds = 1_000;

start();

function start(): void {
  const base = new URL('api/bus/', document.baseURI);
  const api = createApi(base);
  const clock = createServerClock();
  const model = createModel(clock);
  const notices = createNotices();
  const secrets = createSecretKeeper();
  const actions = createActions({
    api,
    secrets,
    notices,
    isArmed: () => model.meta()?.write_secret_armed ?? false,
    person: createPerson(),
    onAcknowledged(message) {
      model.takeAcknowledged(message);
      painter.paint(['header', 'flags', 'messages']);
    },
    onReleased: () => connection.refreshSoon(),
  });

  const header = createHeaderView({ model, clock, secrets });
  const flags = createFlagsView({ model, clock, actions });
  const lanes = createLanesView({ api, model, clock, actions });
  const messages = createMessagesView({ api, model, clock, notices });
  const agents = createAgentsView({ model, clock, onAgent: messages.showSender });
  const startView = createStartView(model, base);
  const sayFlags = createFlagTeller(model, notices.say);

  const painter = createPainter({
    header() {
      startView.paint();
      header.paint();
    },
    flags() {
      flags.paint();
      sayFlags();
    },
    lanes: lanes.paint,
    messages: messages.paint,
    agents: agents.paint,
  });

  let isFirst = true;
  function onState(state: ConnectionState): void {
    header.setState(state);
    if (state.kind !== 'live' || !isFirst) return;
    isFirst = false;
    // A link in the address is followed once there is something to find it in.
    requestAnimationFrame(() => void messages.follow());
  }

  const paint = (dirty: Iterable<Part>) => painter.paint(dirty);
  const mayTrim = () => !messages.isFarDown();
  const connection = startConnection({ api, model, clock, paint, onState, mayTrim });

  setInterval(() => {
    header.tick();
    if (isOutOfSight() || header.isAway() || !model.meta()) return;
    for (const view of [flags, lanes, messages]) view.tick();
    painter.paint(['agents', 'header']);
  }, tickMilliseconds);
}

/** Who acknowledges and releases, as the person wants it written; remembered by the browser. */
function createPerson(): () => string {
  const input = part<HTMLInputElement>('person');
  const kept = createKept(() => localStorage, 'bus-mcp.person');
  input.value = kept.get() ?? '';
  input.addEventListener('change', () => kept.set(input.value.trim()));
  return () => input.value.trim() || 'panel';
}

/** Tells of flags that came in after the page was opened; those there before are in plain sight. */
function createFlagTeller(
  model: ReturnType<typeof createModel>,
  say: (sentence: string) => void,
): () => void {
  let lastTold: number | undefined;
  return () => {
    const flags = model.flags();
    const told = lastTold ?? Number.POSITIVE_INFINITY;
    for (const { id, sender } of flags
      .filter((flag) => flag.id > told)
      .slice(0, 3)
      .reverse())
      say(`${toShortName(sender, 60)} asks for a person in message #${id}.`);
    lastTold = Math.max(lastTold ?? 0, flags[0]?.id ?? 0);
  };
}
