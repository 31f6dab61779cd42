import { toShortName, toVisibleName } from '../visible.ts';
import { make, makePeerText, setText, toExactTime } from './dom.ts';
import { makeAgent, makeWhen, setWhen } from './message-parts.ts';
import { createMessageText } from './message-text.ts';
import type { Message } from './rows.ts';
import type { Row } from './windowed-list.ts';

/** A message in the log. Topic and sender are buttons that show more of their kind. */
export function createMessageCard(
  given: Readonly<{
    message: Message;
    now: () => number;
    /** What was searched for, to be marked. */
    pattern: RegExp | undefined;
    onTopic: (topic: string) => void;
    onSender: (sender: string) => void;
  }>,
): Row<Message> {
  const { message, now, pattern } = given;
  const { id, topic, sender, body } = message;
  const topicButton = make('button', { type: 'button', class: 'topic' }, makePeerText(topic));
  topicButton.title = `Only the topic ${toVisibleName(topic)}`;
  topicButton.addEventListener('click', () => given.onTopic(topic));
  const senderButton = make('button', { type: 'button', class: 'sender' }, makeAgent(sender));
  senderButton.title = `Only messages of ${toVisibleName(sender)}`;
  senderButton.addEventListener('click', () => given.onSender(sender));
  const flag = make('span', { class: 'flag-mark' });
  const when = makeWhen(message);
  const element = make(
    'article',
    {
      class: 'message',
      id: `message-${id}`,
      tabindex: -1,
      'aria-label': `Message ${id} from ${toShortName(sender, 60)} in ${toShortName(topic, 60)}`,
    },
    make('div', { class: 'message-head' }, topicButton, ' ', senderButton, ' ', flag, ' ', when),
    createMessageText(body, pattern),
  );

  function update(next: Message): void {
    setWhen(when, now());
    const { action_flag, acknowledged_by, acknowledged_at } = next;
    flag.hidden = !action_flag;
    element.classList.toggle('is-flagged', action_flag && acknowledged_by === undefined);
    const isOpen = acknowledged_by === undefined;
    setText(flag, isOpen ? '⚑ needs a person' : `✓ acknowledged by ${toVisibleName(acknowledged_by)}`);
    if (acknowledged_at !== undefined) flag.title = toExactTime(acknowledged_at);
  }

  update(message);
  return { element, update };
}
