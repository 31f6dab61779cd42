import type { Api } from './api.ts';
import { part, watchNear } from './dom.ts';
import type { Filters } from './filters.ts';
import type { Model } from './model.ts';
import type { Notices } from './notices.ts';

const messagesPerPage = 200;

/** Pages the log back, as far as it goes. */
export function createOlderMessages(
  parts: Readonly<{
    api: Api;
    model: Model;
    filters: Filters;
    notices: Notices;
    setBusy: (isBusy: boolean) => void;
    onLoaded: () => void;
  }>,
) {
  const { api, model, filters, notices } = parts;
  const button = part('messages-older');
  let loading: Promise<void> | undefined;

  /** One page more; a page that is on its way already is waited for instead. */
  function load(): Promise<void> {
    loading ??= read().finally(() => {
      loading = undefined;
      parts.setBusy(false);
    });
    return loading;
  }

  async function read(): Promise<void> {
    const filter = filters.read();
    const floor = model.log.floorOf(filter);
    if (floor <= 1 || model.meta() === undefined) return;
    parts.setBusy(true);
    try {
      const page = await api.readMessages({
        before_id: floor === Number.POSITIVE_INFINITY ? undefined : floor,
        limit: messagesPerPage,
        topic: filter.topic === '' ? undefined : filter.topic,
      });
      model.takeMessages(page);
      filters.offer(page.messages);
      model.log.setFloor(filter, page.has_more ? (page.messages.at(-1)?.id ?? 1) : 1);
      parts.onLoaded();
    } catch (error) {
      notices.say(`Older messages could not be loaded: ${(error as Error).message}`, 'failed');
    }
  }

  /** The bus filters topics; a sender or words may be so rare that the whole log would be loaded to find them. */
  function isWorthLoading(): boolean {
    const { sender, words } = filters.read();
    return sender === '' && words === '';
  }

  button.addEventListener('click', () => void load());
  watchNear(button, '600px', (isNear) => {
    if (isNear && isWorthLoading()) void load();
  });

  return { load, isWorthLoading };
}
