import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toTimestamp } from '../src/store/timestamp.ts';

test('times are written as ISO 8601 in UTC with milliseconds, however many different ones there are', () => {
  const times = fc.integer({ min: 0, max: Date.parse('2200-01-01T00:00:00Z') });
  fc.assert(
    fc.property(times, (time) => {
      expect([toTimestamp(time), toTimestamp(time + 1)]).toEqual(
        [time, time + 1].map((each) => new Date(each).toISOString()),
      );
    }),
    { numRuns: 3_000 },
  );
});
