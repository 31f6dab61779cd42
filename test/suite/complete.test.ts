import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { contract, operationNames } from '../../src/contract/contract.ts';
import { type ErrorCode, errorTable } from '../../src/contract/errors.ts';
import { cliDoor } from './doors/cli.ts';
import { engineDoor } from './doors/engine.ts';
import { httpDoor } from './doors/http.ts';
import { mcpDoor } from './doors/mcp.ts';
import { mcpHttpDoor } from './doors/mcp-http.ts';
import { features } from './rule.ts';
import { isOffered } from './run.ts';
import { subjects } from './subjects.ts';

/** Refusals that come from the door of HTTP and never from the bus behind it: its own tests ask for them by code. */
const metAtDoor: readonly ErrorCode[] = ['unauthorized', 'forbidden_origin', 'too_large', 'internal'];

const testFolder = new URL('../', import.meta.url);
const doorTests = readdirSync(testFolder, { recursive: true, encoding: 'utf8' })
  .filter((path) => /^http\b.*\.test\.ts$/.test(path))
  .map((path) => readFileSync(new URL(path, testFolder), 'utf8'));

const rules = Object.values(subjects).flat();
const metInSuite = new Set(rules.flatMap(({ refusals }) => refusals));

describe('the suite', () => {
  for (const door of [engineDoor, httpDoor, mcpDoor, mcpHttpDoor, cliDoor]) {
    // The status for agents is brief, and has tests of its own: test/mcp/brief.test.ts.
    const isBrief = (use: string) => use === 'getBusStatus' && !door.offers('wholeStatus');
    test.each([...operationNames, ...features].filter((use) => door.offers(use) && !isBrief(use)))(
      `has a rule about %s that runs through ${door.name}`,
      (use) => {
        const about = rules.filter((rule) => rule.uses.includes(use) && isOffered(rule, door));
        expect(about.length).toBeGreaterThan(0);
      },
    );
  }

  test.each(operationNames)('meets every refusal of its own that %s can end in', (name) => {
    const met = rules.filter(({ uses }) => uses.includes(name)).flatMap(({ refusals }) => refusals);
    expect(met).toEqual(expect.arrayContaining([...contract[name].errors]));
  });

  test.each(Object.keys(errorTable) as ErrorCode[])('meets the refusal %s', (code) => {
    if (metAtDoor.includes(code)) {
      expect([...metInSuite], `${code} is met here: take it from the list`).not.toContain(code);
      const isAskedFor = (text: string) => text.includes(`'${code}'`) || text.includes(`"${code}"`);
      expect(doorTests.some(isAskedFor), `a test of the door asks for ${code}`).toBe(true);
    } else {
      expect([...metInSuite]).toContain(code);
    }
  });

  test('states each rule once', () => {
    const titles = rules.map(({ title }) => title);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });
});
