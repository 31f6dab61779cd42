import { toVisibleLine } from '../visible.ts';
import { type Api, RefusedError } from './api.ts';
import type { HeldLane } from './lanes.ts';
import type { Notices } from './notices.ts';
import type { Message } from './rows.ts';
import type { SecretKeeper } from './secret.ts';

export type Deeds = Readonly<{
  acknowledge: (message: Message) => Promise<boolean>;
  release: (lane: HeldLane) => Promise<boolean>;
}>;

/** The two things that a person can do here. Each says what became of it. */
export function createDeeds(
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
): Deeds {
  const { api, secrets, notices } = parts;

  async function acknowledge({ id }: Message): Promise<boolean> {
    const done = await attempt(`Message #${id} was not acknowledged`, (secret) =>
      api.acknowledge(id, parts.person(), secret),
    );
    if (!done) return false;
    parts.onAcknowledged(done);
    notices.say(`Message #${id} is acknowledged by ${toVisibleLine(done.acknowledged_by ?? '', 60)}.`);
    return true;
  }

  async function release({ lane, fence }: HeldLane): Promise<boolean> {
    const done = await attempt(`Lane ${lane} was not released`, (secret) =>
      // The fence keeps this from touching a hold that is younger than what the person looks at.
      api.release(lane, { owner: parts.person(), fence }, secret),
    );
    if (!done) return false;
    parts.onReleased();
    notices.say(`Lane ${lane} is free.`);
    return true;
  }

  /** Asks for the secret as long as the bus wants another one and the person has another one to give. */
  async function attempt<Answer>(
    failure: string,
    deed: (secret: string | undefined) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    let secret = secrets.get();
    if (secret === undefined && parts.isArmed()) secret = await secrets.ask('Writes to this bus need it.');
    if (secret === undefined && parts.isArmed()) return giveUp(`${failure}: no secret was given.`);
    for (;;) {
      try {
        return await deed(secret);
      } catch (error) {
        if (!(error instanceof RefusedError && error.status === 401))
          return giveUp(`${failure}: ${(error as Error).message}`);
        secrets.forget();
        const reason =
          secret === undefined ? 'Writes to this bus need it.' : 'The bus says that this secret is wrong.';
        secret = await secrets.ask(reason);
        if (secret === undefined) return giveUp(`${failure}: no secret was given that the bus accepts.`);
      }
    }
  }

  function giveUp(sentence: string): undefined {
    notices.say(sentence, 'failed');
  }

  return { acknowledge, release };
}
