import fc from 'fast-check';
import { createScanner, parse } from 'jsonc-parser';
import { describe, expect, it } from 'vitest';
import { createJsonEditor } from '../../src/cli/setup/json-editor.ts';
import { createHome } from './folder.ts';

/** Files as people have them. */
const cases = [
  {
    title: 'comments, a trailing comma and four blanks',
    before: `{
    // servers of the team
    "mcpServers": {
        "github": { "command": "docker", "args": ["run", "-i"] }, // needs docker
        /* "old": { "command": "gone" }, */
        "files": {
            "command": "npx", // from npm
        },
        // "later": {},
    },
    "other": [1, 2,],
}
`,
  },
  {
    title: 'tabs and no line end at the end',
    before: '{\n\t"mcpServers": {\n\t\t"a": {\n\t\t\t"command": "a"\n\t\t}\n\t}\n}',
  },
  {
    title: 'Windows line ends',
    before: '{\r\n  "mcpServers": {\r\n    "a": {}\r\n  },\r\n  "z": 1\r\n}\r\n',
  },
  {
    title: 'a byte order mark',
    before: '\ufeff{\n  "mcpServers": {\n    "a": {}\n  }\n}\n',
  },
  {
    title: 'everything on one line without blanks',
    before: '{"theme":"dark","mcpServers":{"a":{"command":"x"}}}',
  },
  {
    title: 'servers on one line with blanks',
    before: '{\n  "mcpServers": { "a": { "command": "x" } }\n}\n',
  },
  {
    title: 'other settings and no servers',
    before: '{\n   "theme": "dark" // for the night\n}\n',
  },
  {
    title: 'an odd indentation',
    before: '{\n"a": 1,\n      "mcpServers": {\n  "one": {}\n      }\n}\n',
  },
  { title: 'an object without anything', before: '{}' },
  { title: 'nothing but blanks', before: '  \n' },
  { title: 'no byte at all', before: '' },
  {
    title: 'an empty list of servers',
    before: '{\n\t"mcpServers": {},\n\t"inputs": []\n}\n',
  },
  {
    title: 'servers that are all commented out',
    before: '{\n  "mcpServers": {\n    // "a": {}\n  }\n}\n',
  },
];

describe.each(cases)('a file with $title', ({ before }) => {
  it('gets the entry in its own manner, and keeps all else', async () => {
    const { read, setup, write } = createHome();
    write('.cursor/mcp.json', before);
    await setup('cursor');
    const after = read('.cursor/mcp.json');
    expect(after).toMatchSnapshot();
    expectKept(before, after);
    expect(readBack(after).mcpServers.bus).toEqual({ command: 'npx', args: ['-y', 'bus-mcp'] });
  });

  it('is given back to the byte', async () => {
    const { read, setup, write } = createHome();
    write('.cursor/mcp.json', before);
    await setup('cursor');
    await setup('cursor', ['--remove']);
    expect(read('.cursor/mcp.json')).toBe(before);
  });

  it('loses nothing but the entry when it was changed meanwhile', async () => {
    const { read, setup, write } = createHome();
    write('.cursor/mcp.json', before);
    await setup('cursor');
    const changed = read('.cursor/mcp.json').replace(/\s*$/, '\n\n\n');
    write('.cursor/mcp.json', changed);
    await setup('cursor', ['--remove']);
    const after = read('.cursor/mcp.json');
    expectKept(before, after);
    expect(after).not.toContain('bus');
  });
});

it('gets an entry and loses it, and nothing else, however the file is written', () => {
  const editor = createJsonEditor('mcpServers', { comments: true, trailingCommas: true });
  const entry = { command: 'npx', args: ['-y', 'bus-mcp'], env: { A: '1' } };
  fc.assert(
    fc.property(file, (text) => {
      const after = editor.add(text, 'bus', entry);
      expect(editor.readServers(after)).toEqual({ ...editor.readServers(text), bus: entry });
      expectKept(text, after);
      expectKept(text, editor.remove(after, 'bus'));
    }),
    { numRuns: 500 },
  );
});

/** Every value but the entry, in its order, and every comment. */
function expectKept(before: string, after: string): void {
  const toRest = (text: string) => {
    const { mcpServers: { bus: _bus, ...servers } = {}, ...rest } = readBack(text);
    return JSON.stringify([servers, rest]);
  };
  expect(toRest(after)).toBe(toRest(before));
  expect(toComments(after)).toEqual(toComments(before));
}

function toComments(text: string): string[] {
  const comments: string[] = [];
  const scanner = createScanner(text, false);
  for (let token: number = scanner.scan(); token !== 17; token = scanner.scan()) {
    if (token === 12 || token === 13) {
      const start = scanner.getTokenOffset();
      comments.push(text.slice(start, start + scanner.getTokenLength()).trim());
    }
  }
  return comments;
}

/** Objects with blanks, comments and commas wherever they may be; an empty list of servers is another rule's. */
const file = fc.letrec<{ gap: string; value: string; object: string }>((tie) => {
  const gap = fc.stringMatching(/^( |\t|\r?\n|\/\*[a-z,{}" ]*\*\/|\/\/[a-z,{}" ]*\n){0,3}$/);
  const toObject = (
    values: fc.Arbitrary<string>,
    min: number,
    keys = fc.constantFrom('a', 'b b', 'ü', 'c'),
  ) =>
    fc
      .tuple(
        fc.uniqueArray(keys, { minLength: min, maxLength: 4 }),
        fc.infiniteStream(fc.tuple(gap, gap, values, gap)),
        gap,
        fc.boolean(),
      )
      .map(([names, parts, end, hasComma]) => {
        const properties = names.map((name) => {
          const [before, middle, value, after] = parts.next().value ?? ['', '', '1', ''];
          return `${before}${JSON.stringify(name)}${middle}:${value}${after}`;
        });
        return `{${properties.join(',')}${hasComma && names.length > 0 ? ',' : ''}${end}}`;
      });
  const scalar = fc.constantFrom('1', 'true', '"x,}"', '[1, {"q": 2}]', '{}', 'null');
  return {
    gap,
    value: fc.oneof({ depthSize: 'small' }, scalar, toObject(tie('value') as fc.Arbitrary<string>, 1)),
    object: fc
      .tuple(gap, toObject(scalar, 1), toObject(tie('value') as fc.Arbitrary<string>, 1), fc.boolean(), gap)
      .map(([start, servers, other, hasServers, end]) =>
        hasServers
          ? `${start}${other.replace('{', `{"mcpServers": ${servers},`)}${end}`
          : start + other + end,
      ),
  };
}).object;

describe('a broken file', () => {
  const broken = [
    ['{\n  "mcpServers": {\n    "a": {}\n    "b": {}\n  }\n}\n', 'line 4, column 5', 'comma expected'],
    ['{\n  "mcpServers": {\n', 'line 3, column 1', 'close brace expected'],
    ['{ mcpServers: {} }', 'line 1, column 3', 'quotes are missing'],
    ['{"a": 1, 2}', 'line 1, column 10', 'a name in double quotes is missing'],
    ['{}\n{}', 'line 2, column 1', 'end of file expected'],
    ['{"a": "x\n"}', 'line 1, column 7', 'unexpected end of string'],
    ['[]', 'line 1, column 1', 'something else than an object'],
    ['{"mcpServers": []}', 'line 1, column 16', '"mcpServers", which is no object'],
    ['{"mcpServers": {"a": {}}, "mcpServers": {}}', '', 'names something twice'],
  ] as const;

  it.each(broken)('is left untouched: %j', async (text, place, words) => {
    const { list, read, setup, write } = createHome();
    write('.cursor/mcp.json', text);
    const { errorOutput, status } = await setup('cursor');
    expect(status).toBe(1);
    expect(errorOutput).toContain(place);
    expect(errorOutput).toContain(words);
    expect(errorOutput).toContain('Nothing was changed');
    expect(read('.cursor/mcp.json')).toBe(text);
    expect(list('.cursor')).toEqual(['mcp.json']);
  });

  it.each(['--remove', '--print'])('is left untouched by %s', async (flag) => {
    const { read, setup, write } = createHome();
    write('.cursor/mcp.json', '{ "mcpServers": ');
    const { status } = await setup('cursor', [flag]);
    expect(status).toBe(flag === '--print' ? 0 : 1);
    expect(read('.cursor/mcp.json')).toBe('{ "mcpServers": ');
  });

  it('is one with comments where the client reads none', async () => {
    const { setup, write } = createHome();
    write('.claude.json', '{\n  // mine\n  "a": 1\n}');
    const { errorOutput, status } = await setup('claude-code');
    expect([status, errorOutput]).toEqual([1, expect.stringContaining('line 2, column 3')]);
    expect(errorOutput).toContain('does not read comments');
  });

  it('is one with a comma too many where the client reads none', async () => {
    const { setup, write } = createHome();
    write('.gemini/settings.json', '{\n  "a": 1, // fine\n}');
    const { errorOutput, status } = await setup('gemini');
    expect([status, errorOutput]).toEqual([1, expect.stringContaining('line 3, column 1')]);
  });
});

function readBack(text: string) {
  return parse(text.replace(/^\ufeff/, '').trim() || '{}', [], { allowTrailingComma: true });
}
