import { part } from './dom.ts';
import { createKept } from './kept.ts';

export type SecretKeeper = Readonly<{
  get: () => string | undefined;
  forget: () => void;
  /** Asks the person, and keeps what they give for this tab only. Undefined when they would rather not. */
  ask: (reason: string, isWrong?: boolean) => Promise<string | undefined>;
}>;

/** The write secret of the bus: asked for when a action needs it, and gone with the tab. */
export function createSecretKeeper(): SecretKeeper {
  const dialog = part<HTMLDialogElement>('secret');
  const input = part<HTMLInputElement>('secret-input');
  const kept = createKept(() => sessionStorage, 'bus-mcp.write-secret');
  let answer: ((secret: string | undefined) => void) | undefined;

  function settle(secret: string | undefined): void {
    input.value = '';
    if (dialog.open) dialog.close();
    answer?.(secret);
    answer = undefined;
  }

  function setWrong(isWrong: boolean): void {
    input.setAttribute('aria-invalid', String(isWrong));
    part('secret-reason').classList.toggle('is-wrong', isWrong);
  }

  // Nobody knows yet whether the next one is wrong too.
  input.addEventListener('input', () => setWrong(false));
  part<HTMLFormElement>('secret-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const secret = input.value;
    kept.set(secret);
    settle(secret);
  });
  part('secret-cancel').addEventListener('click', () => settle(undefined));
  dialog.addEventListener('close', () => {
    // The event comes a little later, and the dialog may have been opened again since.
    if (!dialog.open) settle(undefined);
  });

  return {
    get: kept.get,
    forget: kept.forget,
    ask(reason, isWrong = false) {
      settle(undefined);
      part('secret-reason').textContent = reason;
      setWrong(isWrong);
      return new Promise((resolve) => {
        answer = resolve;
        dialog.showModal();
        input.focus();
      });
    },
  };
}
