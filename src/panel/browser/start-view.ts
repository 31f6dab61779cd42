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
    const addresses = { bus: base.href.replace(/\/$/, ''), mcp: new URL('../../mcp', base).href };
    part('start-lines').replaceChildren(...toStartLines(addresses, shownFor).map(makeLine));
    part('start-others').replaceChildren(...toOtherWays(addresses, shownFor));
  }

  return { paint };
}

type Addresses = Readonly<{ bus: string; mcp: string }>;

/** Lines for a shell: the tools for an agent, a first claim, a first message. They need nothing but this bus. */
function toStartLines({ bus, mcp }: Addresses, isArmed: boolean): readonly string[] {
  const header = (option: string) => (isArmed ? ` ${option} "X-Bus-Secret: $BUS_WRITE_SECRET"` : '');
  const curl = `curl -sS -H 'Content-Type: application/json'${header('-H')}`;
  return [
    `claude mcp add --transport http bus ${mcp}${header('--header')}`,
    `${curl} -d '{"owner": "me", "lease_s": 300}' ${bus}/lanes/first-lane/claim`,
    `${curl} -d '{"topic": "hello", "sender": "me", "body": "The bus works."}' ${bus}/message`,
  ];
}

function toOtherWays({ bus, mcp }: Addresses, isArmed: boolean): readonly HTMLElement[] {
  const headers = isArmed ? { headers: { 'X-Bus-Secret': 'the secret of this bus' } } : {};
  const block = { mcpServers: { bus: { type: 'http', url: mcp, ...headers } } };
  const secret = isArmed ? ' --env BUS_WRITE_SECRET="$BUS_WRITE_SECRET"' : '';
  return [
    make('li', {}, 'Most clients take this block:'),
    makeLine(JSON.stringify(block)),
    make(
      'li',
      {},
      'With bus-mcp on the PATH, each session has a server of its own, which renews its leases and gives back what it held:',
    ),
    makeLine(`claude mcp add bus --env BUS_MCP_BASE_URL=${bus}${secret} -- bus-mcp`),
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
