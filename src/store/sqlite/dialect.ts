import { createCodecs } from '../codecs.ts';
import type { Dialect } from '../questions.ts';

/** SQLite's side of the things that the two stores express differently. It has no booleans. */
export const dialect: Dialect = {
  placeholder: () => '?',
  isSet: (column) => `${column} = 1`,
  readTime: (placeholder) => placeholder,
};

export const codecs = createCodecs({ trueAs: 1, falseAs: 0 });
