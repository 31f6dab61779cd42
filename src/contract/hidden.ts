/**
 * What a person or a model would not see in a text from a peer, or see as something else: controls, which move a cursor
 * or forge a line; marks that turn the direction of what follows; and all that Unicode calls ignorable, such as joiners
 * of no width, fillers and tags. One list for all doors; each has its own way to show what it finds.
 */
const hidden =
  '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u2800\\ufff9-\\ufffb\\p{Bidi_Control}\\p{Default_Ignorable_Code_Point}\\p{Surrogate}';

type ToSign = (sign: string) => string;

/**
 * In a text of several lines. Line feeds and tabs stay. So do characters that are invisible by themselves but shape
 * an emoji, or a script that needs them.
 */
export function replaceHiddenInText(text: string, toSign: ToSign): string {
  return text.replace(inText, (found, wanted: string | undefined) => wanted ?? toSign(found));
}

/**
 * In a name. Also replaces every kind of space except a single one between words, so that no name can imitate
 * another.
 */
export function replaceHiddenInName(name: string, toSign: ToSign): string {
  return name.replace(inName, toSign);
}

/** In JSON, everywhere: hidden characters become escapes, so the JSON stays the same. */
export function toVisibleJson(json: string): string {
  return json.replace(anywhere, toEscapes);
}

function toEscapes(sign: string): string {
  return Array.from({ length: sign.length }, (_, index) => sign.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}

const pictograph = '\\p{Extended_Pictographic}(?:[\\ufe0e\\ufe0f]|\\p{Emoji_Modifier})?';
const emoji = `${pictograph}(?:\\u200d${pictograph})*|[0-9#*]\\ufe0f\\u20e3`;
/** Scripts whose letters a joiner shapes. */
const joinedScripts = 'Arab Syrc Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr'
  .split(' ')
  .map((script) => `\\p{Script=${script}}`)
  .join('');

const inText = new RegExp(`(${emoji}|(?<=[${joinedScripts}])[\\u200c\\u200d])|[${hidden}]`, 'gu');
const inName = new RegExp(`[\\t\\n${hidden}]|(?! )\\p{Z}|^ | $|(?<= ) `, 'gu');
/** JSON has line breaks and tabs only between its values. */
const anywhere = new RegExp(`[${hidden}]|(?! )\\p{Z}`, 'gu');
