import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { JsonDialect } from './clients.ts';
import { FileProblem, toLineAndColumn } from './problem.ts';

/** The text as a tree of nodes with their places, or the first thing that is wrong with it. */
export function parseJson(text: string, dialect: JsonDialect): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, {
    disallowComments: !dialect.comments,
    allowTrailingComma: dialect.trailingCommas,
  });
  const [first] = errors;
  if (first === undefined && root !== undefined) return root;
  const words = problemWords[printParseErrorCode(first?.error ?? 4)] ?? 'it cannot be read';
  throw new FileProblem(`is broken at ${toLineAndColumn(text, first?.offset ?? 0)}: ${words}`);
}

const problemWords: Readonly<Record<string, string>> = {
  InvalidSymbol: 'there is a word that JSON does not know, or quotes are missing',
  InvalidNumberFormat: 'a number is malformed',
  PropertyNameExpected: 'a name in double quotes is missing; no comma may stand before a closing brace',
  ValueExpected: 'a value is missing; no comma may stand before a closing bracket',
  ColonExpected: 'a colon is missing',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a closing brace is missing',
  CloseBracketExpected: 'a closing bracket is missing',
  EndOfFileExpected: 'there is more after the end',
  InvalidCommentToken: 'the client does not read comments in this file',
  UnexpectedEndOfComment: 'a comment is not closed',
  UnexpectedEndOfString: 'a string is not closed',
  UnexpectedEndOfNumber: 'a number is not finished',
  InvalidUnicode: 'a \\u escape is malformed',
  InvalidEscapeCharacter: 'a string has an escape that JSON does not know',
  InvalidCharacter: 'a string has a control character',
};
