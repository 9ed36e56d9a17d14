// The README's pictures, taken when somebody asks for them: each state as an operator meets it. A picture stays below 300 kB.
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Console } from '../harness/console.ts';
import { people } from '../harness/people.ts';
import { expect, test } from '../harness/story.ts';

const LARGEST = 300_000;

async function shoot(operator: Console, name: string): Promise<void> {
  const path = resolve(import.meta.dirname, `${name}.png`);
  await operator.page.screenshot({ path, animations: 'disabled' });
  expect(statSync(path).size).toBeLessThan(LARGEST);
}

for (const [suffix, context] of Object.entries({
  ja: { locale: 'ja-JP', colorScheme: 'light' },
  en: { locale: 'en-GB', colorScheme: 'dark' },
} as const)) {
  test(`the console, ${suffix}`, async ({ seat, cloud }) => {
    const viewport = { width: 1120, height: 700 };
    const operator = await seat({ context: { ...context, viewport, reducedMotion: 'reduce' } });
    operator.language = suffix as 'ja' | 'en';
    await shoot(operator, `off-${suffix}`);
    await operator.startShift();
    await shoot(operator, `available-${suffix}`);
    const caller = await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await shoot(operator, `ring-${suffix}`);
    await operator.accept();
    await operator.talksWith(caller);
    await shoot(operator, `talk-${suffix}`);
    await operator.button('hangUp').click();
    await operator.ended('hungUp');
    await shoot(operator, `ended-${suffix}`);
  });
}

test("the customer's phone", async ({ browser, house }) => {
  const context = await browser.newContext({ locale: 'ja-JP', viewport: { width: 420, height: 720 } });
  const page = await context.newPage();
  await page.goto(house.phoneOrigin);
  const path = resolve(import.meta.dirname, 'phone.png');
  await page.screenshot({ path });
  expect(statSync(path).size).toBeLessThan(LARGEST);
  await context.close();
});
