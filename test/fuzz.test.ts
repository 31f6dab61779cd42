import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

test('whatever is sent to the bus or asked of its tools, nothing ends in a 5xx, a crash, a hang or a leak', async () => {
  // A small part of what `npm run fuzz` does.
  const child = spawn(process.execPath, ['bench/fuzz.mjs', '--requests', '3000', '--calls', '2000']);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [output, remarks, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect([status, remarks.match(/FAULT.*/s)?.[0]]).toEqual([0, undefined]);
  expect(output).toMatch(/^3,000 requests: .*\b200 × [1-9]/m);
  expect(output).toMatch(/^2,000 tool calls: .*\bok × [1-9]/m);
}, 180_000);
