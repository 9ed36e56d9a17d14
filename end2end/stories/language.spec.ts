// Japanese first, English second: by the browser's wish, and by a switch that is remembered.
import { people } from '../harness/people.ts';
import { expect, test } from '../harness/story.ts';

test('the first page is already in the language of the browser', async ({ house }) => {
  for (const [wish, lang, word] of [
    ['ja-JP,ja;q=0.9', 'ja', '勤務を始める'],
    ['en-GB,en;q=0.9', 'en', 'Start shift'],
    ['', 'ja', '勤務を始める'],
  ] as const) {
    const response = await fetch(house.origin, { headers: { 'accept-language': wish } });
    const page = await response.text();
    expect(page).toContain(`lang="${lang}"`);
    expect(page).toContain(word);
  }
});

test('the switch works in the middle of a call and is remembered', async ({ operator, cloud }) => {
  const { page } = operator;
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await page.getByRole('button', { name: 'English' }).click();
  operator.language = 'en';
  await operator.is('connected');
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
  await operator.talksWith(caller);
  await operator.button('hangUp').click();
  await operator.ended('hungUp');

  await page.reload();
  await operator.alive();
  await expect(operator.button('start')).toBeVisible();
  await page.getByRole('button', { name: '日本語' }).click();
  operator.language = 'ja';
  await expect(operator.button('start')).toBeVisible();
});

test('an English operator takes a call', async ({ seat, cloud }) => {
  const operator = await seat({ context: { locale: 'en-GB' } });
  operator.language = 'en';
  await operator.startShift();
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳', 'cm-koshii');
  await operator.accept();
  await operator.talksWith(caller);
  await caller.hangUp();
  await operator.ended('callerHungUp');
});
