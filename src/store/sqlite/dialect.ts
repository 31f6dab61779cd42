import { createCodecs } from '../codecs.ts';
import type { Dialect } from '../questions.ts';

/** How SQLite says what stores say differently. It has no booleans. */
export const dialect: Dialect = {
  placeholder: () => '?',
  isSet: (column) => `${column} = 1`,
  timeOfLook: (placeholder) => placeholder,
};

export const codecs = createCodecs({ trueAs: 1, falseAs: 0 });
