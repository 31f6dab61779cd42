import type { OpenedBus } from '../cli/command.ts';
import { lacksPath, withBasePath } from '../contract/base-url.ts';
import { type Bus, operationNames } from '../contract/contract.ts';
import { BusUnreachableError } from '../contract/errors.ts';

/** Adds the usual path of a bus to addresses without one. Returns the same text when all of them have a path. */
export function toAddressesWithPath(baseUrl: string): string {
  const isRootless = (text: string) => URL.canParse(text) && lacksPath(new URL(text));
  const texts = baseUrl.split(',').map((text) => text.trim());
  if (!texts.some(isRootless)) return baseUrl;
  return texts.map((text) => (isRootless(text) ? withBasePath(new URL(text)).href : text)).join(',');
}

/**
 * Opens a bus at an address without a path. The first call finds out whether it responds under the usual path, which
 * people often leave out. If not, the address is used as it is, because a proxy may serve the bus there.
 */
export function openRootlessBus(
  options: Readonly<{
    baseUrl: string;
    open: (baseUrl: string) => OpenedBus;
    report: (sentence: string) => void;
  }>,
): OpenedBus {
  const { open, report } = options;
  let found: Promise<OpenedBus> | undefined;

  async function find(): Promise<OpenedBus> {
    const baseUrl = toAddressesWithPath(options.baseUrl);
    const bus = open(baseUrl);
    try {
      await bus.getBusStatus({});
      report(`BUS_MCP_BASE_URL names no path, so calls go to ${baseUrl}`);
      return bus;
    } catch (error) {
      await bus.close();
      if (error instanceof BusUnreachableError) throw error;
      return open(options.baseUrl);
    }
  }

  async function reach(): Promise<OpenedBus> {
    found ??= find();
    found.catch(() => {
      found = undefined;
    });
    return await found;
  }

  const operations = operationNames.map((name) => [
    name,
    async (...given: [never]) => (await reach())[name](...given),
  ]);
  return {
    ...(Object.fromEntries(operations) as Bus),
    close: async () => (await found?.catch(() => undefined))?.close(),
  };
}
