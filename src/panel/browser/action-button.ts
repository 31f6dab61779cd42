import { make } from './dom.ts';

/**
 * A button for what a person does to the bus. While the action is under way more clicks do nothing; the button is not
 * disabled meanwhile, because that would take the focus from it.
 */
export function makeActionButton(
  given: Readonly<{ text: string; label: string; className?: string; action: () => Promise<unknown> }>,
): HTMLButtonElement {
  const { text, label, className, action } = given;
  const button = make('button', { type: 'button', class: className, 'aria-label': label }, text);
  let isUnderWay = false;
  button.addEventListener('click', async () => {
    if (isUnderWay) return;
    isUnderWay = true;
    button.setAttribute('aria-disabled', 'true');
    await action();
    button.removeAttribute('aria-disabled');
    isUnderWay = false;
  });
  return button;
}
