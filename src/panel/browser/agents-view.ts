import { toAge } from '../duration.ts';
import { toShortName, toVisibleName } from '../visible.ts';
import type { Agent } from './agents.ts';
import type { ServerClock } from './clock.ts';
import { make, makePeerText, part, setShown, setText, toExactTime } from './dom.ts';
import { makeAgent } from './message-parts.ts';
import type { Model } from './model.ts';

const agentsMax = 100;
const lanesNamedMax = 6;

type AgentRow = Readonly<{ element: HTMLElement; update: (agent: Agent) => void }>;

/** Who was heard from, when, holding what. Those heard from last come first. */
export function createAgentsView({
  model,
  clock,
  onAgent,
}: Readonly<{ model: Model; clock: ServerClock; onAgent: (name: string) => void }>) {
  const list = part('agent-list');
  const rows = new Map<string, AgentRow>();

  function paint(): void {
    const all = model.agents();
    const shown = all.slice(0, agentsMax);
    const wanted = new Set(shown.map(({ name }) => name));
    for (const [name, { element }] of rows) {
      if (wanted.has(name)) continue;
      element.remove();
      rows.delete(name);
    }
    let next = list.firstElementChild;
    for (const agent of shown) {
      const row = rows.get(agent.name) ?? addRow(agent.name);
      row.update(agent);
      if (row.element === next) next = next.nextElementSibling;
      else list.insertBefore(row.element, next);
    }
    setShown(part('agents-empty'), all.length === 0);
    const left = all.length - shown.length;
    setText(part('agents-more'), left > 0 ? `And ${left} more, heard from longer ago.` : '');
  }

  function addRow(name: string): AgentRow {
    const heard = make('time', {});
    const doing = make('div', { class: 'doing' });
    const button = make('button', { type: 'button', class: 'sender' }, makeAgent(name));
    button.title = `Only messages of ${toVisibleName(name)}`;
    button.setAttribute('aria-label', `${toShortName(name, 60)}: show only their messages`);
    button.addEventListener('click', () => onAgent(name));
    const element = make('li', { class: 'agent-row' }, button, heard, doing);
    let shownDoing = '';

    function update({ heardAt, holds, left, waits }: Agent): void {
      const timestamp = new Date(heardAt).toISOString();
      if (heard.dateTime !== timestamp) {
        heard.dateTime = timestamp;
        heard.title = `heard from ${toExactTime(heardAt)}`;
      }
      setText(heard, toAge((clock.now() - heardAt) / 1000));
      const key = [holds, waits, left].map((lanes) => lanes.join(' ')).join('\n');
      if (key === shownDoing) return;
      shownDoing = key;
      doing.replaceChildren(
        ...toLanes('holds', holds),
        ...toLanes('waits for', waits),
        ...toLanes('left behind', left),
      );
    }

    const row = { element, update };
    rows.set(name, row);
    return row;
  }

  return { paint };
}

function toLanes(verb: string, lanes: readonly string[]): HTMLElement[] {
  if (lanes.length === 0) return [];
  const named = lanes.slice(0, lanesNamedMax).flatMap((lane) => [' ', makePeerText(lane, 'lane-chip')]);
  const more = lanes.length > lanesNamedMax ? ` and ${lanes.length - lanesNamedMax} more` : '';
  return [make('span', { class: `what is-${verb.split(' ')[0]}` }, verb, ...named, more)];
}
