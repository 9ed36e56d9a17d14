// Everybody can work at this console: axe objects to none of the states that are named here, in Japanese and light and in English and
// dark, and everything is done by keyboard.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Locator } from '@playwright/test';
import type { AxeResults } from 'axe-core';
import { Console } from '../harness/console.ts';
import { opensLate } from '../harness/microphone.ts';
import { people } from '../harness/people.ts';
import { unplug } from '../harness/sound.ts';
import { COMPLAINTS, expect, test } from '../harness/story.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Axe finds nothing to object to, from the smallest telephone to a desk's screen. */
async function isAccessible(operator: Console, state: string): Promise<void> {
  for (const viewport of [{ width: 360, height: 740 }, { width: 1280, height: 800 }]) {
    await operator.page.setViewportSize(viewport);
    await operator.page.evaluate(AXE);
    const { violations } = await operator.page.evaluate(
      () => (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run(),
    );
    const said = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`);
    expect(said, `${state}, ${viewport.width} px wide`).toEqual([]);
    for (const letters of ['', '200%']) {
      const tooWide = await operator.page.evaluate((size) => {
        const page = document.documentElement;
        page.style.fontSize = size;
        const wider = page.scrollWidth - innerWidth;
        page.style.fontSize = '';
        return wider;
      }, letters);
      expect(tooWide, `${state} scrolls sideways at ${viewport.width} px, letters ${letters}`).toBeLessThanOrEqual(0);
    }
  }
}

test.use({ expected: COMPLAINTS });

/** Each language and each colour scheme once, and not every pair: words and colours do not change each other. */
const LOOKS = Object.entries({
  'Japanese, light': { locale: 'ja-JP', colorScheme: 'light' },
  'English, dark': { locale: 'en-GB', colorScheme: 'dark' },
} as const);

for (const [look, context] of LOOKS) {
  const language = look.startsWith('English') ? 'en' : 'ja';
  const sitting = { context: { ...context, reducedMotion: 'reduce' } } as const;

  test(`axe in a shift that could not begin, and in one with two calls from beginning to end: ${look}`, async ({ seat, cloud }) => {
    test.slow();
    const operator = await seat(sitting);
    operator.language = language;
    await isAccessible(operator, 'off duty');

    await operator.page.route('**/token*', () => {});
    await operator.button('start').click();
    await operator.is('starting');
    await isAccessible(operator, 'starting');
    await operator.page.unroute('**/token*');
    await operator.page.reload();
    await operator.alive();

    await operator.page.route('**/token*', (route) => route.fulfill({ status: 400, json: { error: 'invalid_identity', message: '' } }));
    await operator.button('start').click();
    await operator.is('attention');
    await isAccessible(operator, 'failed');
    await operator.page.unroute('**/token*');
    await operator.button('again').click();
    await operator.is('available');
    await isAccessible(operator, 'available');

    const caller = await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await isAccessible(operator, 'ringing');
    await operator.accept();
    await operator.talksWith(caller);
    await isAccessible(operator, 'talking');
    await operator.button('mute').click();
    await operator.isMuted(true);
    await isAccessible(operator, 'muted');
    await cloud.call(people.sato);
    await operator.ringsFor('佐藤 美咲');
    await isAccessible(operator, 'a second call');
    await operator.button('reject').click();
    await caller.hangUp();
    await operator.ended('callerHungUp');
    await isAccessible(operator, 'after a call');
    await operator.endShift();
    await isAccessible(operator, 'after the shift');
  });

  test.describe('with faults', () => {
    test.use({ settings: { UNKNOWN_CALLERS: 'user001' } });

    test(`axe in a doubtful line, a line that is down, an unknown caller, a lost ring, and a call without sound: ${look}`, async ({
      seat,
      cloud,
    }) => {
      test.slow();
      const operator = await seat(sitting);
      operator.language = language;
      await operator.startShift();

      await cloud.fail({ silent: true });
      await operator.page.evaluate(() => dispatchEvent(new Event('offline')));
      await operator.is('lineDoubtful');
      await isAccessible(operator, 'a doubtful line');
      await cloud.fail({ silent: false, offline: true });
      await operator.is('lineDown');
      await isAccessible(operator, 'a line that is down');
      await cloud.fail({ offline: false });
      await expect(operator.status).toHaveText(operator.word('available'), { timeout: 30_000 });

      await cloud.call(people.stranger);
      await expect(operator.rings).toContainText(operator.word('unknown'));
      await isAccessible(operator, 'an unknown caller');
      await cloud.cut('user001');
      await operator.ended('ringLost');
      await isAccessible(operator, 'a lost ring');

      await cloud.blackhole('user001', true);
      const caller = await cloud.call(people.koshii);
      await operator.button('accept').click();
      await operator.is('connecting');
      await isAccessible(operator, 'connecting');
      await expect(operator.talk.getByRole('status')).toContainText(language === 'ja' ? '音声がまだ届きません' : 'No audio has arrived yet');
      await isAccessible(operator, 'sound that is late');
      await cloud.blackhole('user001', false);
      await operator.is('connected');
      await operator.talksWith(caller);
      await opensLate(operator.page);
      await unplug(operator.page);
      await operator.is('silent');
      await isAccessible(operator, 'sound that is not sent');
      await cloud.fail({ offline: true });
      await operator.is('reconnecting');
      await isAccessible(operator, 'a call that is reconnected');
    });
  });

  test.describe('what the page is made of does not arrive', () => {
    test.use({ expected: /Failed to load resource|Failed to fetch|dynamically imported/ });

    test(`axe in a page that is dead: ${look}`, async ({ contextFor, house }) => {
      const page = await (await contextFor(sitting.context)).newPage();
      await page.route('**/*.wasm', (route) => route.abort());
      await page.goto(house.origin);
      await expect(page.getByRole('alert')).toBeVisible();
      await isAccessible(new Console(page, house.origin, 'user001'), 'a page that is dead');
    });
  });
}

test('a ring is announced, and takes the focus to the answer', async ({ operator, cloud }) => {
  const { page } = operator;
  await cloud.call(people.koshii);
  await expect(operator.button('accept')).toBeFocused();
  // Read out with the focus that it takes, it would be said twice.
  await expect(page.getByRole('alertdialog', { name: '着信' })).toContainText('越井 琢巳');
  await expect(page.locator('[aria-live=assertive]')).toBeEmpty();
  await expect(page).toHaveTitle(/着信中/);
  // Titles are kept in the browser's history.
  await expect(page).not.toHaveTitle(/越井/);
});

test('rings that do not take the focus are announced, each anew', async ({ operator, cloud }) => {
  const { page } = operator;
  await cloud.call(people.koshii);
  await operator.accept();
  const spoken = page.locator('[aria-live=assertive]');
  await page.evaluate(() => {
    const said: string[] = [];
    const hear = (records: MutationRecord[]): void => {
      for (const { addedNodes } of records) for (const { textContent } of addedNodes) said.push(textContent ?? '');
    };
    const region = document.querySelector('[aria-live=assertive]');
    if (region) new MutationObserver(hear).observe(region, { childList: true });
    Object.assign(globalThis, { said });
  });
  for (const caller of [people.sato, people.sato]) {
    const second = await cloud.call(caller);
    await expect(spoken).toHaveText('別の着信: 佐藤 美咲');
    await expect(page.getByRole('alertdialog')).toHaveCount(0);
    await expect(operator.button('acceptInstead')).not.toBeFocused();
    await second.hangUp();
    await expect(operator.rings).toHaveCount(0);
  }
  expect(await page.evaluate(() => (globalThis as unknown as { said: string[] }).said)).toHaveLength(2);
});

test('a ring while nobody sees the page is told by the system, without a name', async ({ seat, cloud }) => {
  const operator = await seat();
  await operator.page.evaluate(() => {
    const told: string[] = [];
    class Told {
      static requestPermission = async (): Promise<string> => (told.push('may it?'), 'granted');
      constructor(title: string) {
        told.push(title);
      }
      close(): void {
        told.push('closed');
      }
    }
    Object.assign(globalThis, { told, Notification: Told });
    Object.defineProperty(document, 'hidden', { get: () => true });
  });
  const told = (): Promise<string[]> => operator.page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
  await operator.startShift();
  expect(await told()).toEqual(['may it?']);
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await expect.poll(told).toEqual(['may it?', '● 着信中 | 秘匿 Hitoku']);
  await caller.hangUp();
  await operator.ended('gaveUp');
  // Asked again, because a browser may not have asked without a click; whoever has said it is asked by none.
  await expect.poll(told).toEqual(['may it?', '● 着信中 | 秘匿 Hitoku', 'may it?', 'closed']);
});

test('a whole shift by keyboard alone', async ({ seat, cloud }) => {
  const operator = await seat();
  const { keyboard } = operator.page;
  const start = operator.button('start');
  for (let presses = 0; presses < 20 && !(await start.evaluate((button) => button === document.activeElement)); presses += 1) {
    await keyboard.press('Tab');
    await focusIsSeen(operator);
  }
  await keyboard.press('Enter');
  await operator.is('available');

  const caller = await cloud.call(people.koshii);
  await expect(operator.button('accept')).toBeFocused();
  await focusIsSeen(operator);
  await answer(operator);
  await operator.is('connected');
  await operator.talksWith(caller);
  await keyboard.press('m');
  await operator.isMuted(true);
  await expect.poll(async () => (await caller.hears()).rms).toBeLessThan(20);
  await keyboard.press('m');
  await operator.isMuted(false);
  await operator.talksWith(caller);
  await keyboard.press('h');
  await operator.ended('hungUp');

  await cloud.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
  await keyboard.press('r');
  await operator.ended('rejected');

  await cloud.call(people.oneil);
  await operator.ringsFor("O'Neil & Sons <K>");
  await answer(operator, 'a');
  await operator.is('connected');
  await keyboard.press('h');
  await operator.ended('hungUp');
});

test('a key that was meant for something else answers nothing', async ({ operator, cloud }) => {
  const { page } = operator;
  const { keyboard } = page;
  // In the page, and so in the moment itself: which keys press nothing when the focus has just moved to the answer.
  const lost = await page.evaluateHandle(() => {
    const isLost = (key: string): boolean =>
      !document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    const keys = new Promise<string[]>((found) => {
      addEventListener('focusin', ({ target }) => {
        if ((target as HTMLElement).matches('button[data-rest]')) setTimeout(() => found(['Enter', ' ', 'Tab'].filter(isLost)));
      });
    });
    return { keys };
  });
  const caller = await cloud.call(people.koshii);
  expect(await lost.evaluate(({ keys }) => keys)).toEqual(['Enter', ' ']);
  await caller.hangUp();
  await operator.ended('gaveUp');

  await keyboard.down('Enter');
  await cloud.call(people.koshii);
  await expect(operator.button('accept')).toBeFocused();
  await page.waitForTimeout(600);
  // It is held down: the browser repeats it.
  await keyboard.down('Enter');
  await keyboard.up('Enter');
  await operator.is('ringing');
  await keyboard.press('Enter');
  await operator.is('connected');
});

for (const [key, word, does] of [['r', 'reject', 'rejects'], ['a', 'accept', 'accepts']] as const) {
  test(`a key that was meant for a call that has just gone ${does} no other: ${key}`, async ({ operator, cloud }) => {
    const { page } = operator;
    const first = await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    const second = await cloud.call(people.sato, 880);
    await operator.ringsFor('佐藤 美咲');
    await expect(operator.ringOf('越井 琢巳').locator('[aria-keyshortcuts]')).toHaveCount(2);
    // In the page, and so in the moment itself: the key is pressed when the first card is gone.
    const pressed = await page.evaluateHandle((key) => {
      const rings = document.getElementsByClassName('ring');
      const left = new Promise<number>((found) => {
        const gone = new MutationObserver(() => {
          if (rings.length > 1) return;
          gone.disconnect();
          (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
          // Whatever it did is drawn by then.
          requestAnimationFrame(() => requestAnimationFrame(() => found(rings.length)));
        });
        gone.observe(document.body, { childList: true, subtree: true });
      });
      return { left };
    }, key);
    await first.hangUp();
    expect(await pressed.evaluate(({ left }) => left), 'calls that ring still').toBe(1);
    await operator.is('ringing');
    expect(await second.status()).toBe('ringing');
    // Meant for this one it counts.
    await answer(operator, key);
    if (word === 'reject') await operator.ended('rejected');
    else await operator.talksWith(second, 880);
  });
}

test('a key that is held down scrolls the page', async ({ operator }) => {
  const { page } = operator;
  await page.setViewportSize({ width: 360, height: 300 });
  /** Where the page has come to rest; 0 while it moves. Taken back on its way, a scroll would go on, or be the last one. */
  const restsAt = (): Promise<number> =>
    page.evaluate(async () => {
      const before = scrollY;
      for (let frame = 0; frame < 10; frame += 1) await new Promise(requestAnimationFrame);
      return scrollY === before ? scrollY : 0;
    });
  await page.getByRole('heading', { level: 1 }).focus();
  await page.keyboard.down('Space');
  await expect.poll(restsAt).toBeGreaterThan(0);
  await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
  // It is held down: the browser repeats it.
  await page.keyboard.down('Space');
  await expect.poll(restsAt).toBeGreaterThan(0);
  await page.keyboard.up('Space');
});

test('a click that was meant for what stood there before answers nothing', async ({ operator, cloud }) => {
  const { page } = operator;
  const session = await page.context().newCDPSession(page);
  await session.send('Animation.enable');
  /** Stops the style's clock in the moment in which a button is drawn, so that every click comes in time. */
  const pace = (playbackRate: 0 | 1): Promise<unknown> => session.send('Animation.setPlaybackRate', { playbackRate });
  const place = async (button: Locator): Promise<[number, number]> => {
    await button.waitFor();
    const box = await button.boundingBox();
    if (!box) throw new Error('The button is not drawn');
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const clickIsLost = async (button: Locator): Promise<void> => {
    const at = await place(button);
    const before = await operator.status.textContent();
    await page.mouse.click(...at);
    await expect(button).toBeVisible();
    await expect(operator.status).toHaveText(before ?? '');
  };

  await pace(0);
  const first = await cloud.call(people.koshii);
  await clickIsLost(operator.button('accept'));
  await pace(1);
  await operator.button('accept').click({ trial: true });

  // A second call moves the first one's buttons.
  await pace(0);
  const second = await cloud.call(people.sato);
  await expect(operator.rings).toHaveCount(2);
  for (const name of ['越井 琢巳', '佐藤 美咲']) {
    for (const word of ['accept', 'reject'] as const) {
      await clickIsLost(operator.ringOf(name).getByRole('button', { name: operator.word(word) }));
    }
  }
  await pace(1);
  await operator.ringOf('越井 琢巳').getByRole('button', { name: operator.word('accept') }).click();
  await operator.is('connected');

  await pace(0);
  await first.hangUp();
  await operator.is('ringing');
  await clickIsLost(operator.button('accept'));
  await pace(1);
  await operator.accept();

  await pace(0);
  await second.hangUp();
  await operator.ended('callerHungUp');
  await clickIsLost(operator.button('end'));
  await pace(1);
  await operator.endShift();
});

test('the keys reach a second call in the order in which it is seen', async ({ operator, cloud }) => {
  const { page } = operator;
  await cloud.call(people.koshii);
  await operator.accept();
  await cloud.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
  const main = page.getByRole('main').getByRole('button');
  const tops = (await Promise.all((await main.all()).map((button) => button.boundingBox()))).map((box) => box?.y ?? 0);
  expect(tops).toHaveLength(4);
  expect(tops).toEqual(tops.toSorted((a, b) => a - b));
});

test('the shortcut keys can be switched off', async ({ operator, cloud }) => {
  await operator.page.getByRole('switch').click();
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await operator.page.keyboard.press('r');
  await operator.page.keyboard.press('a');
  await operator.is('ringing');
  // The page is so from the first, before the WASM has taken over.
  const rendered = await (await operator.page.request.get(operator.page.url())).text();
  expect(rendered).toMatch(/aria-checked="?false/);
  await operator.page.reload();
  await operator.alive();
  await expect(operator.page.getByRole('switch')).not.toBeChecked();
});

/** Presses a key, by default for what has the focus, as soon as it counts as meant for the call that rings. */
async function answer(operator: Console, key = 'Enter'): Promise<void> {
  await expect(async () => {
    await operator.page.keyboard.press(key);
    await expect(operator.rings).toHaveCount(0, { timeout: 100 });
  }).toPass();
}

/** What has the focus is marked. */
async function focusIsSeen(operator: Console): Promise<void> {
  const outline = await operator.page.evaluate(() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement ?? document.body);
    return `${outlineWidth} ${outlineStyle}`;
  });
  // The browser's own would be `auto`.
  expect(outline).toBe('3px solid');
}
