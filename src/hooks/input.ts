/**
 * The object that a client sends to its hook, as text; empty where none comes in time. It ends with the object, not with
 * the stream: a client may leave its end of it open.
 */
export function readInput(waitMilliseconds: number): Promise<string> {
  const { stdin } = process;
  if (stdin.isTTY) return Promise.resolve('');
  return new Promise((resolve) => {
    let text = '';
    const give = (value: string) => {
      clearTimeout(timer);
      stdin.destroy();
      resolve(value);
    };
    const timer = setTimeout(() => give(''), waitMilliseconds);
    stdin.setEncoding('utf8');
    stdin.on('error', () => give(''));
    stdin.on('end', () => give(''));
    stdin.on('data', (part) => {
      text += part;
      // Cursor puts a byte order mark before it.
      const whole = text.replace(/^\uFEFF/, '');
      if (isObject(whole)) give(whole);
    });
  });
}

function isObject(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    // There is more to come.
    return false;
  }
}
