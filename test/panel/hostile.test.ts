import { expect, test } from 'vitest';
import { describeInBrowser, inBrowser } from './browser.ts';

const markup = '<script>window.isTaken = true</script><img src=x onerror="window.isTaken = true"><b>bold</b>';
const bidi = 'pay \u202e0001 ot\u202c now \u2066hidden\u2069';
const oneWord = 'w'.repeat(65_536);

describeInBrowser('hostile text on the page', (open) => {
  test('markup is shown as it was written, and does nothing', async () => {
    const { page } = await open({
      before: async ({ bus }) => {
        await bus.postMessage({ topic: markup, sender: markup, body: markup, action_flag: true });
        await bus.claimLane({ lane: 'feeds', owner: markup });
      },
    });
    const card = page.locator('#message-1');
    expect(await card.locator('.body').textContent()).toBe(markup);
    expect(await card.locator('.topic').textContent()).toBe(markup);
    expect(await page.locator('#flag-1 .body').textContent()).toBe(markup);
    await page.locator('#held-rows .owner').getByText(markup).waitFor();
    await page.locator('#agents').getByText(markup).first().waitFor();
    expect(await page.locator('main script, main img, main b >> text=bold').count()).toBe(0);
    expect(await page.evaluate('window.isTaken')).toBeUndefined();
  });

  test('what turns or hides text is shown as a sign, and stays within its own piece of text', async () => {
    const { page } = await open({
      before: async ({ bus }) => {
        await bus.postMessage({ topic: 'ops', sender: 'a\u202ed\u0007a', body: bidi });
        await bus.postMessage({ topic: 'ops', sender: 'دينا', body: 'مرحبا bus-mcp' });
      },
    });
    expect(await page.locator('#message-1 .body').textContent()).toBe(
      'pay ⟨U+202E⟩0001 ot⟨U+202C⟩ now ⟨U+2066⟩hidden⟨U+2069⟩',
    );
    expect(await page.locator('#message-1 .sender').textContent()).toBe('a⟨U+202E⟩d⟨U+0007⟩a');
    expect(await page.locator('bdi').count()).toBeGreaterThan(3);
    const direction = inBrowser('(element) => getComputedStyle(element).direction');
    expect(await page.locator('#message-2 .body').evaluate(direction)).toBe('rtl');
    expect(await page.locator('#message-2').evaluate(direction)).toBe('ltr');
  });

  test('64 KB of one word fold, unfold and break, and push nothing off the page', async () => {
    const { page } = await open({
      before: async ({ bus }) => {
        for (let count = 0; count < 30; count += 1)
          await bus.postMessage({ topic: 't'.repeat(200), sender: 's'.repeat(200), body: oneWord });
        await bus.claimLane({ lane: 'l'.repeat(128), owner: 'o'.repeat(200) });
      },
    });
    const card = page.locator('#message-30');
    const button = card.getByRole('button', { name: 'Show all 65,536 characters' });
    await button.waitFor();
    const folded = Number((await card.boundingBox())?.height);
    expect(folded).toBeLessThan(400);
    expect((await card.locator('.body').textContent())?.length).toBe(600);
    await button.click();
    expect(await card.locator('.body').textContent()).toBe(oneWord);
    await card.getByRole('button', { name: 'Show less' }).click();
    expect(Number((await card.boundingBox())?.height)).toBe(folded);
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      const isWide =
        'document.documentElement.scrollWidth > innerWidth || document.querySelector("main").scrollWidth > innerWidth';
      expect(await page.evaluate(isWide)).toBe(false);
    }
  });

  test('a body of ten thousand lines folds too', async () => {
    const { page } = await open({
      before: ({ bus }) => bus.postMessage({ topic: 'log', sender: 'ada', body: 'x\n'.repeat(10_000) }),
    });
    expect((await page.locator('#message-1').boundingBox())?.height).toBeLessThan(300);
  });

  test('the browser itself refuses scripts in the page and text turned into markup', async () => {
    const { page, complaints } = await open();
    await page.evaluate('document.body.append(Object.assign(document.createElement("script"), {}))');
    const turned = await page.evaluate(`(() => {
      try { document.body.innerHTML = '<p>markup</p>'; return 'done'; } catch (error) { return error.name; }
    })()`);
    expect(turned).toBe('TypeError');
    expect(complaints.every((complaint) => /Trusted|TrustedHTML/.test(complaint))).toBe(true);
    (complaints as string[]).length = 0;
  });
});
