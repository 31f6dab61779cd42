import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Flags, readConfig, UsageError } from '../../src/cli/config.ts';
import { useFolder } from '../folder.ts';
import { runToEnd } from './command-line.ts';

const folder = useFolder();

let files = 0;
function write(text: string, mode = 0o600): string {
  files += 1;
  const path = join(folder, `secret-${files}`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

function read(environment: NodeJS.ProcessEnv, flags: Flags = {}) {
  return readConfig({ environment: { HOME: folder, ...environment }, flags });
}

function refusalOf(environment: NodeJS.ProcessEnv, flags: Flags = {}): string {
  try {
    read(environment, flags);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}

describe('the write secret in a file', () => {
  it.each([
    ['hush', 'hush'],
    ['hush\n', 'hush'],
    ['hush\r\n', 'hush'],
    ['hüsh with blanks inside\n', 'hüsh with blanks inside'],
    ['new\nold\n', 'new\nold'],
    ['new\r\nold', 'new\nold'],
  ])('%j is %j, as it is in the variable', (text, secret) => {
    const { config, warnings } = read({ BUS_WRITE_SECRET_FILE: write(text) });
    expect([config.writeSecret, warnings]).toEqual([secret, []]);
    expect(read({ BUS_WRITE_SECRET: text }).config.writeSecret).toBe(secret);
  });

  it('may begin with a byte order mark, as Notepad writes it', () => {
    const { config } = read({ BUS_WRITE_SECRET_FILE: write('\ufeffnew\r\nold\r\n') });
    expect(config.writeSecret).toBe('new\nold');
  });

  it('may be named by a flag, because a path is no secret', () => {
    expect(read({}, { writeSecretFile: write('hush') }).config.writeSecret).toBe('hush');
  });

  it('lets the bus listen beyond loopback, as the variable does', () => {
    const environment = { BUS_HOST: '0.0.0.0', BUS_WRITE_SECRET_FILE: write('hush') };
    expect(read(environment).config.host).toBe('0.0.0.0');
  });

  it('is warned of when others can read it', () => {
    for (const mode of [0o644, 0o640, 0o604]) {
      const { config, warnings } = read({ BUS_WRITE_SECRET_FILE: write('hush', mode) });
      expect(config.writeSecret).toBe('hush');
      expect(warnings).toEqual([expect.stringContaining('can be read by other users of this machine')]);
    }
  });

  it('is refused with a sentence when there is none to be had', () => {
    const missing = join(folder, 'missing');
    expect(refusalOf({ BUS_WRITE_SECRET_FILE: missing })).toBe(
      `BUS_WRITE_SECRET_FILE "${missing}" cannot be read (ENOENT): name a file that this user can read`,
    );
    expect(refusalOf({ BUS_WRITE_SECRET_FILE: folder })).toContain('cannot be read (EISDIR)');
    for (const text of ['', '\n', ' \n\n']) {
      expect(refusalOf({ BUS_WRITE_SECRET_FILE: write(text) })).toContain(
        'is empty: write the secret into it',
      );
    }
    expect(refusalOf({ BUS_WRITE_SECRET_FILE: write('x'.repeat(10_000)) })).toContain('is too large');
  });

  it('is refused together with the variable', () => {
    const both = { BUS_WRITE_SECRET: 'hush', BUS_WRITE_SECRET_FILE: write('hush') };
    expect(refusalOf(both)).toBe(
      'BUS_WRITE_SECRET and BUS_WRITE_SECRET_FILE are both set: unset one of them',
    );
    expect(refusalOf({ BUS_WRITE_SECRET: 'hush' }, { writeSecretFile: write('hush') })).toContain('both set');
    expect(read({ BUS_WRITE_SECRET: 'hush', BUS_WRITE_SECRET_FILE: '' }).config.writeSecret).toBe('hush');
  });
});

describe('a secret that no header can carry', () => {
  it.each([
    ['a blank at its end', 'xyzzy-5 '],
    ['a blank at its start', '\txyzzy-5'],
    ['three lines', 'xyzzy-5\nb\nc'],
    ['an empty second line', 'xyzzy-5\n\n'],
    ['a control character', 'xyz\u0007zy-5'],
    ['a length beyond reason', 'xyzzy-5'.repeat(200)],
  ])('is refused for %s, and never shown', (_, text) => {
    for (const environment of [{ BUS_WRITE_SECRET: text }, { BUS_WRITE_SECRET_FILE: write(text) }]) {
      const sentence = refusalOf(environment);
      expect(sentence).toContain('must be 1 to 1000 characters without control characters');
      expect(sentence).not.toMatch(/xyz/);
    }
  });

  it('goes to stderr without being shown', async () => {
    const { errorOutput, status } = await runToEnd(['serve'], {
      environment: { BUS_WRITE_SECRET: 'xyzzy-5 ' },
    });
    expect(status).toBe(2);
    expect(errorOutput).toMatch(/^BUS_WRITE_SECRET must be 1 to 1000 characters[^\n]*\n$/);
    expect(errorOutput).not.toContain('xyzzy');
  });
});
