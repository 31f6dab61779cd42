// Reads everything that the bus has and holds it against what was recorded.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { askOnce } from './ask.mjs';
import { checkEvents, checkLane, checkMessages } from './checks.mjs';
import { loadModel } from './model.mjs';

const pageRows = 500;
/** The checker tries orders: it is given lanes with short lives only. */
const modelActionsMax = 400;

export async function createInspection({ store, record, portOf, agent, commandFile }) {
  const checkHistory = await loadModel();
  const ask = (path) => askOnce({ port: portOf(), method: 'GET', path, agent });
  const { last_message_id: messagesBefore, last_event_id: eventsBefore } = (await ask('/status')).json._meta;
  let events = [];
  let lost = 0;
  let integrity = 'not looked at';
  const modelled = new Set();

  async function readAll(path, sinceName, rowsName, since) {
    const rows = [];
    for (let cursor = since; ; ) {
      const reply = await ask(`${path}?${sinceName}=${cursor}&limit=${pageRows}`);
      if (reply?.status !== 200) throw new Error(`${path} was answered ${reply?.status}: ${reply?.text}`);
      rows.push(...reply.json[rowsName]);
      if (!reply.json.has_more) return rows;
      cursor = reply.json.cursor;
    }
  }

  async function inspect() {
    const messages = await readAll('/messages', 'since_id', 'messages', messagesBefore);
    const checked = checkMessages(messages, record, messagesBefore + 1);
    lost += checked.lost;
    for (const fault of checked.faults) record.fault(fault);
    events.push(...(await readAll('/events', 'since', 'events', events.at(-1)?.id ?? eventsBefore)));
    for (const fault of checkEvents(events, eventsBefore + 1)) record.fault(fault);
    checkLanes({ isEnd: false });
    const found = store.includes('://') ? verifyDatabase(store, commandFile) : checkFile(store);
    if (found !== 'ok') record.fault(`the integrity check of the database says: ${found}`);
    integrity = `${found}, after every kill`;
  }

  function checkLanes({ isEnd }) {
    const eventsOfLane = new Map();
    for (const event of events) {
      if (event.lane === undefined) continue;
      const known = eventsOfLane.get(event.lane);
      if (known) known.push(event);
      else eventsOfLane.set(event.lane, [event]);
    }
    const lanes = [...record.actions.keys()];
    // The lanes of the last epochs are still in use.
    const done = new Set(lanes.filter((lane) => lane.includes('-epoch-')).slice(0, isEnd ? undefined : -10));
    for (const [lane, actions] of record.actions) {
      if (modelled.has(lane)) continue;
      const about = { lane, actions, events: eventsOfLane.get(lane) ?? [] };
      for (const fault of checkLane(about)) record.fault(fault);
      if (!done.has(lane) || actions.length > modelActionsMax) continue;
      for (const fault of checkHistory({ ...about, pauses: record.pauses })) record.fault(fault);
      modelled.add(lane);
    }
  }

  return {
    inspect,
    /** The feed once more from its beginning, and the lanes that were in use until now. */
    async inspectAtEnd() {
      events = [];
      await inspect();
      checkLanes({ isEnd: true });
    },
    lost: () => lost,
    grants: () => events.filter(({ kind }) => kind === 'lane_claimed' || kind === 'lane_stolen').length,
    integrity: () => integrity,
  };
}

/** Through a connection beside the one of the bus, which is never the last to close the file. */
function checkFile(store) {
  const database = new (loadSqlite().DatabaseSync)(store, { readOnly: true });
  try {
    const rows = database.prepare('PRAGMA integrity_check').all();
    return rows.map((row) => Object.values(row)[0]).join('; ');
  } finally {
    database.close();
  }
}

/** The pages are the server's affair; whether the rows fit together the command says. */
function verifyDatabase(url, commandFile) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [commandFile, 'verify', url], {
    encoding: 'utf8',
  });
  return status === 0 ? 'ok' : `${stdout}${stderr}`;
}

function loadSqlite() {
  const require = createRequire(import.meta.url);
  try {
    return require('node:sqlite');
  } catch {
    return require('@photostructure/sqlite');
  }
}
