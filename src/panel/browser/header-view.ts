import { toDuration } from '../duration.ts';
import { toShortName } from '../visible.ts';
import type { ServerClock } from './clock.ts';
import type { ConnectionState } from './connection.ts';
import { make, part, setShown, setText, toClockTime } from './dom.ts';
import type { Meta, Model } from './model.ts';
import type { SecretKeeper } from './secret.ts';
import { createTitle } from './title.ts';

const stateWords = { connecting: 'Connecting…', live: 'Live', resting: 'Catching up…', away: 'Away' };
const numberFormat = new Intl.NumberFormat('en');

/** The state of the bus, the counts, and the banner that says when the bus is away. */
export function createHeaderView({
  model,
  clock,
  secrets,
}: Readonly<{ model: Model; clock: ServerClock; secrets: SecretKeeper }>) {
  const setTitle = createTitle();
  const banner = createBanner();
  const secretButton = make('button', { type: 'button', class: 'quiet' }, 'Forget the secret');
  const facts = make('span');
  let state: ConnectionState = { kind: 'connecting' };
  let firstVersion: string | undefined;

  part('facts').append(facts, ' ', secretButton);
  secretButton.addEventListener('click', () => {
    secrets.forget();
    paint();
  });

  function paint(): void {
    setTitle(model.flagCount(), state.kind === 'away');
    setShown(secretButton, secrets.get() !== undefined);
    const meta = model.meta();
    if (!meta) return;
    paintCounts();
    paintFacts(meta);
  }

  function paintCounts(): void {
    const { live, orphaned, waiting } = model.lanes.counts();
    const counts = {
      flags: model.flagCount(),
      held: live,
      orphans: orphaned,
      waiting,
      agents: model.agents().length,
      messages: model.messageCount(),
    };
    for (const [name, count] of Object.entries(counts)) {
      const element = part(`count-${name}`);
      setText(element, numberFormat.format(count));
      element.closest('a')?.classList.toggle('is-none', count === 0);
    }
  }

  function paintFacts(meta: Meta): void {
    firstVersion ??= meta.version;
    const upSeconds = meta.uptime_s + (clock.now() - Date.parse(meta.ts)) / 1000;
    const sentences = [
      `bus-mcp ${toShortName(meta.version, 30)}`,
      toShortName(meta.store, 30),
      `up ${toDuration(upSeconds)}`,
      meta.write_secret_armed ? 'writes need the secret' : 'writes are open',
    ];
    if (meta.version !== firstVersion) sentences.push('the bus was upgraded: reload this page');
    setText(facts, sentences.join(' · '));
  }

  function setState(next: ConnectionState): void {
    if (next.kind === 'away' && state.kind !== 'away') banner.begin(clock.now());
    state = next;
    document.documentElement.dataset.connection = state.kind;
    setText(part('connection'), stateWords[state.kind]);
    banner.show(state);
    paint();
  }

  return { paint, setState, tick: () => banner.show(state), isAway: () => state.kind === 'away' };
}

/** What is read out is said once; the seconds that run down beside it are for the eye only. */
function createBanner() {
  const host = part('banner');
  const message = make('p');
  const countdown = make('span', { 'aria-hidden': 'true' });
  const button = make('button', { type: 'button' }, 'Try now');
  let retry = () => {};
  let since = 0;
  button.addEventListener('click', () => retry());

  function show(state: ConnectionState): void {
    host.classList.toggle('is-shown', state.kind === 'away');
    if (state.kind !== 'away') {
      host.replaceChildren();
      return;
    }
    if (host.childElementCount === 0) host.append(message, countdown, button);
    retry = state.retry;
    const shown = since > 0 ? ` What you see is as it was at ${toClockTime(since)}.` : '';
    setText(message, `${state.reason}${shown}`);
    const seconds = Math.ceil((state.retryAt - performance.now()) / 1000);
    setText(countdown, seconds > 0 ? `Next try in ${seconds}s` : 'Trying…');
  }

  return {
    show,
    begin(now: number): void {
      since = now;
    },
  };
}
