import { toShortName } from '../visible.ts';
import { type Api, AwayError, type Permit, RefusedError } from './api.ts';
import type { HeldLane } from './lanes.ts';
import type { Notices } from './notices.ts';
import type { Message } from './rows.ts';
import type { SecretKeeper } from './secret.ts';

export type Actions = Readonly<{
  acknowledge: (message: Message) => Promise<boolean>;
  release: (lane: HeldLane) => Promise<boolean>;
}>;

/** The two things that a person can do here. Each says what became of it. */
export function createActions(
  parts: Readonly<{
    api: Api;
    secrets: SecretKeeper;
    notices: Notices;
    isArmed: () => boolean;
    /** The name that the person goes by. */
    person: () => string;
    onAcknowledged: (message: Message) => void;
    onReleased: () => void;
  }>,
): Actions {
  const { api, secrets, notices } = parts;

  async function acknowledge({ id }: Message): Promise<boolean> {
    const done = await attempt(
      { failure: `Message #${id} was not acknowledged`, doubt: `Message #${id} may have been acknowledged` },
      (permit) => api.acknowledge(id, parts.person(), permit),
    );
    if (!done) return false;
    parts.onAcknowledged(done);
    notices.say(`Message #${id} is acknowledged by ${toShortName(done.acknowledged_by ?? '', 60)}.`);
    return true;
  }

  async function release({ lane, fence }: HeldLane): Promise<boolean> {
    const done = await attempt(
      { failure: `Lane ${lane} was not released`, doubt: `Lane ${lane} may have been released` },
      // The fence keeps this from touching a hold that is younger than what the person looks at.
      (permit) => api.release(lane, { owner: parts.person(), fence }, permit),
    );
    if (!done) return false;
    parts.onReleased();
    notices.say(`Lane ${lane} was released.`);
    return true;
  }

  /** Asks for the secret as long as the bus wants another one and the person has another one to give. */
  async function attempt<Answer>(
    { failure, doubt }: Sentences,
    action: Action<Answer>,
  ): Promise<Answer | undefined> {
    const key = makeKey();
    let secret = secrets.get();
    if (secret === undefined && parts.isArmed()) secret = await secrets.ask(needed);
    if (secret === undefined && parts.isArmed()) return giveUp(`${failure}: no secret was given.`);
    for (;;) {
      try {
        return await repeatOnce(action, { key, secret });
      } catch (error) {
        if (isInDoubt(error)) return giveUp(`${doubt}, or not: ${error.message}`);
        if (!(error instanceof RefusedError && error.status === 401))
          return giveUp(`${failure}: ${(error as Error).message}`);
        secrets.forget();
        const isWrong = secret !== undefined;
        secret = await secrets.ask(isWrong ? 'The bus says that this secret is wrong.' : needed, isWrong);
        if (secret === undefined) return giveUp(`${failure}: no secret was given that the bus accepts.`);
      }
    }
  }

  function giveUp(sentence: string): undefined {
    notices.say(sentence, 'failed');
  }

  return { acknowledge, release };
}

const needed = 'Writes to this bus need it.';
const repeatMilliseconds = 500;

/** What is said when it was not done, and when nobody can tell. */
type Sentences = Readonly<{ failure: string; doubt: string }>;
type Action<Answer> = (permit: Permit) => Promise<Answer>;

/** A write can be kept although its answer was lost: with the same key it is safe to ask for it again. */
async function repeatOnce<Answer>(action: Action<Answer>, permit: Permit): Promise<Answer> {
  try {
    return await action(permit);
  } catch (error) {
    if (!isInDoubt(error)) throw error;
    await new Promise((resolve) => setTimeout(resolve, repeatMilliseconds));
    return await action(permit);
  }
}

function isInDoubt(error: unknown): error is AwayError {
  return error instanceof AwayError && error.isInDoubt;
}

/** Random enough to be no other's; the function for that is for pages of https only. */
function makeKey(): string {
  const numbers = [...crypto.getRandomValues(new Uint32Array(4))];
  return `panel-${numbers.map((number) => number.toString(36)).join('-')}`;
}
