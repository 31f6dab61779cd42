import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { toBusError } from '../contract/errors.ts';
import { createOutage, type Notify } from '../store/notice.ts';

/** Whether this process can still open files and connections. */
export type Descriptors = Readonly<{
  /** Throws the refusal while it cannot. */
  check: () => void;
  stop: () => void;
}>;

const lookMilliseconds = 1_000;

/**
 * Tells once that no descriptor is left, and once that it is over. Nobody else would: the system closes the connections
 * of new callers without a word, and Node.js hears nothing of them. So a descriptor is taken and given back.
 */
export function watchDescriptors(notify: Notify): Descriptors {
  const outage = createOutage({
    notify,
    failing: 'no file and no connection can be opened any more: new callers are cut off',
    working: 'files and connections can be opened again',
  });

  function look(): string | undefined {
    const reason = findShortage();
    if (reason === undefined) outage.works('open');
    else outage.fails('open', reason);
    return reason;
  }

  function check(): void {
    const reason = look();
    if (reason === undefined) return;
    throw toBusError('unavailable', `${reason}: raise its limit of open files, or use fewer connections`, {
      retry_after_s: 1,
    });
  }

  const timer = setInterval(look, lookMilliseconds).unref();
  return { check, stop: () => clearInterval(timer) };
}

function findShortage(): string | undefined {
  try {
    closeSync(openSync(devNull, 'r'));
    return undefined;
  } catch (error) {
    return sentences[(error as NodeJS.ErrnoException).code ?? ''];
  }
}

const sentences: Readonly<Record<string, string>> = {
  EMFILE: 'the bus has as many files and connections open as this process may have (EMFILE)',
  ENFILE: 'this machine has as many files open as it may have (ENFILE)',
};
