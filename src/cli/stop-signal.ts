import type { SignalName, SignalSource } from './command.ts';

/** Calls the listener for every signal that asks this process to end. Returns a cancel function. */
export function onStopSignal(signals: SignalSource, listener: (name: SignalName) => void): () => void {
  const listeners = stopSignals.map((name) => [name, () => listener(name)] as const);
  for (const [name, one] of listeners) signals.on(name, one);
  return () => {
    for (const [name, one] of listeners) signals.off(name, one);
  };
}

const stopSignals: readonly SignalName[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
