import { readFileSync, statSync } from 'node:fs';
import { withoutByteOrderMark } from '../contract/byte-order-mark.ts';
import { parseSecret } from './values.ts';

/** The write secret in a file with a warning for its owner, or the reason why there is none. */
export type SecretFile = Readonly<{ secret: string; warning?: string } | { refusal: string }>;

const bytesMax = 8_192;

/** Reads `BUS_WRITE_SECRET_FILE`. No message ever shows the file's content. */
export function readSecretFile(path: string): SecretFile {
  const name = `BUS_WRITE_SECRET_FILE ${JSON.stringify(path)}`;
  try {
    const file = statSync(path);
    if (file.isFile() && file.size > bytesMax) return { refusal: `${name} is too large to hold a secret` };
    const text = withoutByteOrderMark(readFileSync(path, 'utf8'));
    if (text.trim() === '')
      return { refusal: `${name} is empty: write the secret into it, as its only line` };
    const parsed = parseSecret(text);
    if ('problem' in parsed) return { refusal: `what ${name} holds ${parsed.problem}` };
    const isPrivate = process.platform === 'win32' || (file.mode & 0o044) === 0;
    if (isPrivate) return { secret: parsed.value };
    return {
      secret: parsed.value,
      warning: `${name} can be read by other users of this machine: close it to them with chmod 600`,
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      refusal: `${name} cannot be read (${code ?? String(error)}): name a file that this user can read`,
    };
  }
}
