import { describe, expect, test } from 'vitest';
import { parsePostgresUrl } from '../../src/store/postgres/location.ts';

const { raw } = String;

const waysOf = (url: string) => parsePostgresUrl(url).ways.map(({ connectionString }) => connectionString);

describe('the URL of the database', () => {
  test('names a way to each of its hosts, in order', () => {
    expect(waysOf('postgres://u:p@a:1,b:2/db?target_session_attrs=read-write')).toEqual([
      'postgres://u:p@a:1/db?',
      'postgres://u:p@b:2/db?',
    ]);
    expect(waysOf('postgres://u@[::1]:5433,b/db')).toEqual([
      'postgres://u@[::1]:5433/db?',
      'postgres://u@b/db?',
    ]);
  });

  test('may be written in capitals', () => {
    expect(parsePostgresUrl('POSTGRES://u:p@a/db').ways).toEqual(
      parsePostgresUrl('postgres://u:p@a/db').ways,
    );
  });

  test('may name the folder of a socket', () => {
    const { ways, shown } = parsePostgresUrl('postgres://u:p@/db?host=/run/pg&port=5433');
    expect(ways).toEqual([
      { host: '/run/pg:5433', connectionString: 'postgres://u:p@/db?host=%2Frun%2Fpg&port=5433' },
    ]);
    expect(shown).toBe('postgres://u@/run/pg:5433/db');
  });

  test('names the schema, which is bus when it does not', () => {
    expect(parsePostgresUrl('postgres://u:p@a/db')).toMatchObject({
      schema: 'bus',
      shown: 'postgres://u@a/db',
    });
    const other = 'postgres://u:p@a/db?schema=team_a&application_name=x';
    expect(parsePostgresUrl(other)).toMatchObject({
      schema: 'team_a',
      shown: 'postgres://u@a/db?schema=team_a',
    });
    expect(waysOf(other)).toEqual(['postgres://u:p@a/db?application_name=x']);
  });

  test('means by sslmode what the clients of PostgreSQL mean', () => {
    const modeOf = (mode: string) =>
      waysOf(`postgres://u:p@a/db?sslmode=${mode}`).map((way) => way.split('?')[1]);
    expect(modeOf('require')).toEqual(['sslmode=require&uselibpqcompat=true']);
    expect(modeOf('verify-full')).toEqual(['sslmode=verify-full&uselibpqcompat=true']);
    expect(modeOf('prefer')).toEqual([
      'sslmode=require&uselibpqcompat=true',
      'sslmode=disable&uselibpqcompat=true',
    ]);
    expect(() => modeOf('maybe')).toThrow('the sslmode in the URL of the database must be one of disable,');
  });

  test.each([
    'postgres://u:pa/ss@a/db',
    'postgres://u:pass@a:99999/db',
    'postgres://u:pass@a b/db',
    'postgres://u:pass@a/db?schema=Bus"; DROP',
    raw`postgres://u:pass@a/db?schema=x\y`,
  ])('is refused with what to write, and never repeated, when it is none: %s', (url) => {
    let message = '';
    try {
      parsePostgresUrl(url);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('write postgres://user:password@host:5432/database');
    expect(message).not.toMatch(/pass@|ss@/);
  });
});
