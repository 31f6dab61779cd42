import { make, part, setShown } from './dom.ts';
import type { Model } from './model.ts';

/** What an empty bus shows: the lines that make it a bus in use. */
export function createStartView(model: Model, base: URL) {
  let shownFor: boolean | undefined;

  function paint(): void {
    const meta = model.meta();
    if (!meta) return;
    const isEmpty = model.isEmpty();
    setShown(part('start'), isEmpty);
    setShown(part('panes'), !isEmpty);
    if (!isEmpty || shownFor === meta.write_secret_armed) return;
    shownFor = meta.write_secret_armed;
    part('start-lines').replaceChildren(...toStartLines(base, meta.write_secret_armed).map(makeLine));
  }

  return { paint };
}

/** Lines for a shell: the tools for an agent, a first claim, a first message. */
function toStartLines(base: URL, isArmed: boolean): readonly string[] {
  const address = base.href.replace(/\/$/, '');
  const environment = [
    `--env BUS_MCP_BASE_URL=${address}`,
    ...(isArmed ? ['--env BUS_WRITE_SECRET="$BUS_WRITE_SECRET"'] : []),
  ];
  const secret = isArmed ? ' -H "X-Bus-Secret: $BUS_WRITE_SECRET"' : '';
  const curl = `curl -sS -H 'Content-Type: application/json'${secret}`;
  return [
    `claude mcp add bus ${environment.join(' ')} -- npx -y bus-mcp`,
    `${curl} -d '{"owner": "me", "lease_s": 300}' ${address}/lanes/first-lane/claim`,
    `${curl} -d '{"topic": "hello", "sender": "me", "body": "The bus works."}' ${address}/message`,
  ];
}

function makeLine(line: string): HTMLElement {
  const button = make('button', { type: 'button' }, 'Copy');
  const code = make('code', {}, line);
  button.addEventListener('click', async () => {
    const isCopied = await copy(line, code);
    button.textContent = isCopied ? 'Copied' : 'Selected: copy it';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, 2_000);
  });
  return make('li', {}, make('div', { class: 'line' }, code, button));
}

/** Browsers give the clipboard to pages of this machine and of https only; elsewhere the line is selected. */
async function copy(line: string, code: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(line);
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return false;
  }
}
