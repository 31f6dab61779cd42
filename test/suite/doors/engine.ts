import type { Door } from './door.ts';

/** No door at all: the engine in this process. */
export const engineDoor: Door = {
  name: 'the engine in process',
  offers: () => true,
  open: async (bus) => ({ bus, close: async () => {} }),
};
