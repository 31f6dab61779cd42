import { describe, expect, it } from 'vitest';
import { operationsAt } from '../../src/contract/contract.ts';
import { toKebabCase } from '../../src/contract/names.ts';
import { fieldKindOf } from '../../src/contract/text.ts';
import { runToEnd } from './command-line.ts';

const switches = operationsAt('cli').flatMap(([name, { input, positionalFields }]) =>
  Object.entries(input.shape)
    .filter(([, schema]) => fieldKindOf(schema as Parameters<typeof fieldKindOf>[0]) === 'boolean')
    .map(([field]) => ({ name, field, operands: positionalFields.map(() => 'x') })),
);

describe('a switch of an operation', () => {
  it.each(switches)('$field of $name can be said to be off', async ({ name, field, operands }) => {
    const flag = `--no-${toKebabCase(field)}`;
    const { calls } = await runToEnd([toKebabCase(name), ...operands, flag], {
      script: { [name]: () => ({ ok: true }) },
    });
    expect(calls[0]?.input).toMatchObject({ [field]: false });
  });

  it('is the last one that was typed', async () => {
    const post = ['post-message', 'news', 'hello', '--sender', 'ada'];
    const script = { postMessage: () => ({ ok: true, id: 1 }) };
    const on = await runToEnd([...post, '--no-action-flag', '--action-flag'], { script });
    const off = await runToEnd([...post, '--action-flag', '--no-action-flag'], { script });
    const neither = await runToEnd(post, { script });
    const sent = [on, off, neither].map(({ calls }) => calls[0]?.input.action_flag);
    expect(sent).toEqual([true, false, false]);
  });
});
