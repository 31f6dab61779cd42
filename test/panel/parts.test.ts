import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createServerClock } from '../../src/panel/browser/clock.ts';
import { toFolded } from '../../src/panel/browser/folding.ts';
import { createEventParser } from '../../src/panel/browser/stream.ts';
import { toAge, toDuration, toSpan } from '../../src/panel/duration.ts';
import { toBothEnds, toShortName, toVisible, toVisibleLine, toVisibleName } from '../../src/panel/visible.ts';
import { at, laneEvent, minutes, noon } from './rows.ts';

describe('small parts of the page', () => {
  test('events and hints are read however the stream cuts them, and comments are not events', () => {
    const events = [laneEvent(1, 'lane_claimed', 0), laneEvent(2, 'lane_released', 1, { owner: 'ü🚀\n' })];
    const wire = `retry: 1000\nid: 0\n\n: keep-alive\n\n${events
      .map((event) => `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`)
      .join(': keep-alive\n\n: status-changed\n\n')}`;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: wire.length }), { maxLength: 12 }), (cuts) => {
        let hints = 0;
        const parse = createEventParser(() => {
          hints += 1;
        });
        const places = [0, ...cuts.sort((a, b) => a - b), wire.length];
        const read = places.slice(1).flatMap((to, index) => parse(wire.slice(places[index], to)));
        expect(read).toEqual(events);
        expect(hints).toBe(1);
      }),
    );
  });

  test('the clock goes by the bus, and stands still while nothing is known', () => {
    let monotonic = 500;
    const clock = createServerClock(() => monotonic);
    clock.set(at(0));
    monotonic += 1_000;
    expect(clock.now()).toBe(noon + 1_000);
    clock.stop();
    monotonic += 60_000;
    expect(clock.now()).toBe(noon + 1_000);
    clock.set(at(5));
    expect(clock.now()).toBe(minutes(5));
  });

  test('a fold never cuts a character in two', () => {
    expect(toFolded(`${'a'.repeat(599)}🚀${'b'.repeat(500)}`)).toBe('a'.repeat(599));
    expect(toFolded('short')).toBeUndefined();
    expect(toFolded('line\n'.repeat(40))?.split('\n')).toHaveLength(8);
  });

  test('what could hide or turn text is a sign, and the rest stays as it is', () => {
    expect(toVisible('a\u0000b\u007fc\u200bd\ud800e\u{e0041}')).toBe(
      'a⟨U+0000⟩b⟨U+007F⟩c⟨U+200B⟩d⟨U+D800⟩e⟨U+E0041⟩',
    );
    expect(toVisible('tab\tline\r\nnext 👩‍👩‍👧 ümläut')).toBe('tab\tline\nnext 👩‍👩‍👧 ümläut');
    const persian = 'می\u200cخواهم';
    expect(toVisible(`❤\ufe0f 👩🏽\u200d💻 1\ufe0f\u20e3 ${persian}`)).toBe(
      `❤\ufe0f 👩🏽\u200d💻 1\ufe0f\u20e3 ${persian}`,
    );
    expect(toVisible('pay\u200dpal x\ufe0f')).toBe('pay⟨U+200D⟩pal x⟨U+FE0F⟩');
    expect(toVisibleLine(' a \n\n b ', 10)).toBe('a b');
    expect([...toVisibleLine('🚀'.repeat(50), 10)]).toHaveLength(10);
  });

  test.each([
    ...[
      '\ufe0f',
      '\u034f',
      '\u200c',
      '\u200d',
      '\u00a0',
      '\u115f',
      '\u1160',
      '\u3164',
      '\uffa0',
      '\u{e0100}',
    ],
    ...['\u180e', '\u2003', '\u2800', '\u3000', '\n', '\t', '\u00ad', '\u2062', '\u{1d173}', '\u17b4'],
  ])('a name with %j in it cannot be taken for the one without', (sign) => {
    const point = sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    expect(toVisibleName(`a${sign}da`)).toBe(`a⟨U+${point}⟩da`);
  });

  test('a name keeps its spaces, but none is lost where nobody sees it', () => {
    expect(toVisibleName('ada lovelace 🚀 دينا')).toBe('ada lovelace 🚀 دينا');
    expect(toVisibleName(' ada  b ')).toBe('⟨U+0020⟩ada ⟨U+0020⟩b⟨U+0020⟩');
    expect(toShortName('ada\u200b lovelace', 12)).toBe('ada⟨U+200B⟩…');
    expect(toShortName('ada', 3)).toBe('ada');
    expect(toBothEnds('feature-branch-number-12', 11)).toBe('featu…er-12');
    expect(toBothEnds('feature-12', 11)).toBe('feature-12');
  });

  test('lengths and ages are told in the units that matter', () => {
    expect([0, 59, 60, 3_661, 90_000].map(toDuration)).toEqual(['0s', '59s', '1m 00s', '1h 01m', '1d 01h']);
    expect([0, 59, 90, 7_200, 86_400, 200_000].map(toSpan)).toEqual([
      '0s',
      '59s',
      '1 min',
      '2 h',
      '1 day',
      '2 days',
    ]);
    expect([-5, 4, 30, 90, 7_200, 86_400, 200_000].map(toAge)).toEqual([
      'just now',
      'just now',
      '30s ago',
      '1 min ago',
      '2 h ago',
      'yesterday',
      '2 days ago',
    ]);
  });
});
