/** What the bus acknowledged, as far as it can be held against it later. */
export function createRecord() {
  /** Messages by id, as their answer had them. */
  const messages = new Map();
  /** Where the mark of a message was acknowledged: no mark may be in the log twice. */
  const idOfMark = new Map();
  /** Actions on lanes with their answers, by lane. */
  const actions = new Map();
  /** Requests with a key, and the text of their first answer. */
  const keyed = [];
  const faults = [];
  /** When the database was away, so that nobody could renew. */
  const pauses = [];
  let writes = 0;

  return {
    messages,
    idOfMark,
    actions,
    keyed,
    faults,
    pauses,
    get writes() {
      return writes;
    },
    fault(sentence) {
      faults.push(sentence);
    },
    /** A write that was answered with 200. */
    acknowledged({ request, reply }) {
      writes += 1;
      keyed.push({ ...request, text: reply.text });
      if (request.path !== '/message') return;
      const message = reply.json;
      if (messages.has(message.id)) faults.push(`message id ${message.id} was given to two requests`);
      messages.set(message.id, message);
      idOfMark.set(markOf(message), message.id);
    },
    /** A action on a lane that was decided, for or against it. */
    decided(lane, action) {
      const known = actions.get(lane) ?? [];
      known.push(action);
      actions.set(lane, known);
    },
  };
}

export function markOf({ body }) {
  return body.slice(0, body.indexOf(' '));
}
