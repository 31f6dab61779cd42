// Clients that never give up: each writes, and repeats with the same key what was cut off, until it is answered.
import { askUntilAnswered, createAgent } from './ask.mjs';

const filler = 'lorem ipsum “dolor” sit amet, señor 東京 🚌 \\ " \n';

/** Starts so many clients; between `pause` and `resume` none of them has a request under way. */
export function startClients({ count, random, record, runName, portOf, lanes }) {
  let isOver = false;
  let gate = createGate();
  let working = count;
  let onQuiet;

  async function live(number) {
    const client = createClient({ number, random, record, runName, portOf, lanes, isOver: () => isOver });
    try {
      while (!isOver) {
        if (gate.isClosed) {
          working -= 1;
          if (working === 0) onQuiet?.();
          await gate.opened;
          working += 1;
          continue;
        }
        await client.act();
      }
    } finally {
      client.close();
    }
  }

  const lives = Promise.all(Array.from({ length: count }, (_, number) => live(number)));
  lives.catch(() => {});
  return {
    lives,
    async pause() {
      gate = createGate(true);
      await Promise.race([
        lives,
        new Promise((resolve) => {
          onQuiet = resolve;
          if (working === 0) resolve();
        }),
      ]);
    },
    resume: () => gate.open(),
    async end() {
      isOver = true;
      gate.open();
      await lives.catch(() => {});
    },
  };
}

function createGate(isClosed = false) {
  let open = () => {};
  const gate = { isClosed, opened: Promise.resolve(), open: () => {} };
  if (isClosed) {
    gate.opened = new Promise((resolve) => {
      open = resolve;
    });
  }
  gate.open = () => {
    gate.isClosed = false;
    open();
  };
  return gate;
}

function createClient({ number, random, record, runName, portOf, lanes, isOver }) {
  const owner = `${runName}-agent-${number}`;
  const agent = createAgent();
  /** The fence under which a lane was last granted to this client. */
  const fences = new Map();
  let count = 0;

  async function send(path, body) {
    count += 1;
    const key = `${runName}-${String(count).padStart(8, '0')}-${number}`;
    const request = { method: 'POST', path, body, key };
    const startedAt = Date.now();
    const reply = await askUntilAnswered(() => ({ ...request, port: portOf(number), agent }), isOver);
    const answer = { request, reply, startedAt, endedAt: Date.now() };
    if (reply.status === 200) record.acknowledged(answer);
    else if (reply.status !== 409) record.fault(`${path} was answered ${reply.status}: ${reply.text}`);
    return answer;
  }

  async function post(held) {
    const length = random.isLucky(0.05) ? random.between(5_000, 30_000) : random.between(0, 200);
    const body = `${runName}/${number}/${count} ${filler
      .repeat(Math.ceil(length / filler.length))
      .slice(0, length)
      .toWellFormed()}`;
    const fenced = held && { lane: held, fence: fences.get(held) };
    const message = { topic: `topic-${random.below(5)}`, sender: owner, body, ...fenced };
    if (random.isLucky(0.02)) message.action_flag = true;
    const answer = await send('/message', message);
    if (held) note(held, { act: 'post', owner, fence: fenced.fence }, answer);
  }

  async function claim() {
    const lane = random.pick(lanes());
    const lease = random.between(1, 3);
    const wait_s = random.isLucky(0.3) ? 0.4 : 0;
    const answer = await send(`/lanes/${lane}/claim`, { owner, lease_s: lease, wait_s });
    note(lane, { act: 'claim', owner, lease }, answer);
    if (answer.reply.status === 200) fences.set(lane, answer.reply.json.lane.fence);
  }

  async function heartbeat(lane) {
    const lease = random.between(1, 3);
    const fence = random.isLucky(0.5) ? fences.get(lane) : undefined;
    const answer = await send(`/lanes/${lane}/heartbeat`, { owner, lease_s: lease, fence });
    note(lane, { act: 'heartbeat', owner, lease, fence }, answer);
    if (answer.reply.status !== 200) fences.delete(lane);
  }

  async function release(lane) {
    const fence = random.isLucky(0.5) ? fences.get(lane) : undefined;
    const answer = await send(`/lanes/${lane}/release`, { owner, fence });
    note(lane, { act: 'release', owner, fence }, answer);
    fences.delete(lane);
  }

  function note(lane, action, { request, reply, startedAt, endedAt }) {
    const { status, json } = reply;
    record.decided(lane, { action, key: request.key, status, answer: json, startedAt, endedAt });
  }

  async function act() {
    const held = fences.size > 0 ? random.pick([...fences.keys()]) : undefined;
    const luck = random.below(100);
    if (luck < 50 || number % 2 === 1) return post();
    if (held === undefined || luck < 70) return claim();
    if (luck < 80) return heartbeat(held);
    return luck < 87 ? release(held) : post(held);
  }

  return { act, close: () => agent.destroy() };
}
