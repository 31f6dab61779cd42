/**
 * What moves a cursor, forges a line, turns the direction of what follows, or cannot be seen at all: a text from a peer
 * could say one thing to a person and another to a model. The hooks write out the very same.
 */
export const hidden =
  /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Surrogate}]/gu;
