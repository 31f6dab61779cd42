/** The page before its script has run: every landmark and heading, and nothing that came from an agent. */
export function toDocument({ script, style }: Readonly<{ script: string; style: string }>): string {
  return `<!doctype html>
<html lang="en" data-connection="connecting">
<head>
<meta charset="utf-8">
<title>Coordination bus</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" media="(prefers-color-scheme: light)" content="#ffffff">
<meta name="theme-color" media="(prefers-color-scheme: dark)" content="#151a21">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body>
<a class="skip" href="#messages">Skip to the messages</a>
${header}
<div class="banner" id="banner" role="alert"></div>
<noscript><p class="banner is-shown">The live page needs JavaScript. In a terminal, curl with this address prints a summary.</p></noscript>
<main>
${start}
<div class="panes" id="panes">
<div class="pane">
${flags}
${lanes}
${agents}
</div>
<div class="pane">
${messages}
</div>
</div>
</main>
${secretDialog}
<div class="notices" id="notices" role="status" aria-live="polite"></div>
</body>
</html>
`;
}

const header = `<header class="top">
<h1>Coordination bus</h1>
<p class="connection"><span id="connection">Connecting…</span></p>
<nav aria-label="Sections">
<ul class="counts">
<li><a href="#flags"><b id="count-flags">–</b> need a person</a></li>
<li><a href="#lanes"><b id="count-held">–</b> held</a></li>
<li><a href="#orphans"><b id="count-orphans">–</b> left behind</a></li>
<li><a href="#lanes"><b id="count-waiting">–</b> waiting</a></li>
<li><a href="#agents"><b id="count-agents">–</b> agents</a></li>
<li><a href="#messages"><b id="count-messages">–</b> messages</a></li>
</ul>
</nav>
<p class="facts" id="facts"></p>
</header>`;

const start = `<section class="start" id="start" aria-labelledby="start-title" hidden>
<h2 id="start-title">Nothing here yet</h2>
<p>The bus runs and waits for its first agent. Paste these three lines to get started:</p>
<ol id="start-lines"></ol>
<p>The first gives Claude Code the bus as tools, the second claims a lane, the third posts a message. This page follows by itself.</p>
<details><summary>Another client</summary><ul id="start-others"></ul></details>
</section>`;

const flags = `<section class="flags" id="flags" aria-labelledby="flags-title" tabindex="-1">
<header class="bar-of-section">
<h2 id="flags-title">Needs a person</h2>
<label class="field" id="person-field" hidden>Sign as <input id="person" type="text" maxlength="200" autocomplete="nickname" spellcheck="false" placeholder="panel"></label>
</header>
<p class="empty" id="flags-empty" hidden>Nobody asked for a person.</p>
<ul class="flag-list" id="flag-list"></ul>
<p class="more"><button class="quiet" id="flags-all" type="button" hidden></button> <span id="flags-more"></span></p>
</section>`;

const columns = (last: string) =>
  ['Lane', 'Owner', 'Lease', 'Fence']
    .map((name) => `<span role="columnheader">${name}</span>`)
    .concat(`<span role="columnheader" class="axis">${last}</span>`)
    .join('');

const axis =
  '<span class="only-read">The last hour</span><span aria-hidden="true">60 min</span><span aria-hidden="true">45</span><span aria-hidden="true">30</span><span aria-hidden="true">15</span><span aria-hidden="true">now</span>';

const laneTable = (
  id: string,
  label: string,
) => `<div class="table" role="table" aria-label="${label}" hidden>
<div role="rowgroup"><div class="row columns" role="row">${columns(axis)}</div></div>
<div class="rows" id="${id}-rows"></div>
</div>`;

const lanes = `<section id="lanes" aria-labelledby="lanes-title" tabindex="-1">
<header class="bar-of-section">
<h2 id="lanes-title">Lanes</h2>
<label class="field"><span class="only-read">Find a lane or owner</span><input id="lanes-find" type="search" placeholder="Find a lane or owner" autocomplete="off" spellcheck="false"></label>
<label class="field">Order <select id="lanes-order"><option value="name">by name</option><option value="ending">ends first</option><option value="waiting">most wanted</option></select></label>
</header>
<div id="held"><p class="empty" id="held-empty" hidden>No lane is held.</p>${laneTable('held', 'Lanes held')}</div>
<p class="more" id="held-more"></p>
<p class="legend" id="legend" aria-hidden="true" hidden><span class="sign-claim">claimed</span><span class="sign-steal">stolen</span><span class="sign-release">released</span><span class="sign-lapsed">lease ran out</span><span id="legend-note"></span></p>
<div class="orphans" id="orphans" tabindex="-1" hidden><h3 id="orphans-title">Left behind: the lease ran out</h3>${laneTable('orphans', 'Orphaned claims')}<p class="more" id="orphans-more"></p></div>
<div id="free" hidden><h3>Free again, held within the hour</h3>${laneTable('free', 'Lanes free again')}</div>
</section>`;

const agents = `<section id="agents" aria-labelledby="agents-title" tabindex="-1">
<header class="bar-of-section"><h2 id="agents-title">Agents</h2></header>
<p class="empty" id="agents-empty" hidden>Nobody was heard from.</p>
<ul class="agent-list" id="agent-list"></ul>
<p class="more" id="agents-more"></p>
</section>`;

const messages = `<section class="messages" id="messages" aria-labelledby="messages-title" tabindex="-1">
<header class="bar-of-section sticky">
<h2 id="messages-title">Messages</h2>
<form class="filters" id="filters" role="search" aria-label="Messages">
<label class="field topic-field"><span class="only-read">Topic</span><input id="filter-topic" type="search" list="topics" maxlength="200" placeholder="all topics" autocomplete="off" spellcheck="false"></label>
<datalist id="topics"></datalist>
<label class="field"><span class="only-read">Sender</span><select id="filter-sender"><option value="">all senders</option></select></label>
<label class="field grow"><span class="only-read">Search in the messages loaded</span><input id="filter-words" type="search" placeholder="Search" autocomplete="off" spellcheck="false"></label>
</form>
<p class="place" id="messages-place" hidden></p>
<button class="fresh" id="messages-fresh" type="button" hidden></button>
</header>
<p class="empty" id="messages-empty" hidden>Nothing was posted.</p>
<div class="feed" id="feed" role="feed" aria-labelledby="messages-title" aria-busy="false"></div>
<footer class="more"><span id="messages-more"></span> <button id="messages-older" type="button" hidden>Load older messages</button></footer>
</section>`;

const secretDialog = `<dialog class="secret" id="secret" aria-labelledby="secret-title">
<form method="dialog" id="secret-form">
<h2 id="secret-title">The bus asks for its write secret</h2>
<p id="secret-reason"></p>
<label class="field">Write secret <input id="secret-input" type="password" autocomplete="off" required aria-describedby="secret-reason"></label>
<p class="hint">It is the value of BUS_WRITE_SECRET. It stays in this tab and is forgotten when you close it.</p>
<div class="buttons"><button type="button" id="secret-cancel">Cancel</button><button type="submit" class="primary">Go on</button></div>
</form>
</dialog>`;
