// A shift begins, ends and begins again.
import { Console } from '../harness/console.ts';
import { people } from '../harness/people.ts';
import { countRingtones } from '../harness/sound.ts';
import { COMPLAINTS, expect, test } from '../harness/story.ts';

test('nobody is available before the shift begins', async ({ seat, cloud }) => {
  const operator = await seat();
  await operator.is('offDuty');
  expect(await cloud.registered('user001')).toBe(0);
});

test('end of shift, and start again', async ({ operator, cloud }) => {
  for (let round = 0; round < 3; round += 1) {
    expect(await cloud.registered('user001')).toBe(1);
    await operator.endShift();
    await expect.poll(() => cloud.registered('user001')).toBe(0);
    await expect(operator.page.getByRole('heading', { level: 1 })).toHaveText('お疲れさまでした');
    await operator.startShift();
  }
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
});

test('the start shows its steps and can be given up', async ({ seat, cloud }) => {
  const operator = await seat();
  await operator.page.route('**/token*', () => {});
  await operator.button('start').click();
  await operator.is('starting');
  const steps = operator.page.getByRole('main').getByRole('listitem');
  await expect(steps).toHaveText([/完了$/, /完了$/, /実行中$/, /これから$/]);
  await operator.page.getByRole('button', { name: '中止' }).click();
  await operator.is('offDuty');
  expect(await cloud.devices()).toEqual([]);
  await operator.page.unroute('**/token*');
  await operator.startShift();
});

test('a click that comes before the WASM is not lost', async ({ contextFor, house, watch }) => {
  const page = await (await contextFor()).newPage();
  let arrive = (): void => {};
  const arrives = new Promise<void>((resolve) => (arrive = resolve));
  const asked = page.waitForRequest('**/*.wasm');
  await page.route('**/*.wasm', async (route) => {
    await arrives;
    await route.continue();
  });
  await page.goto(house.origin, { waitUntil: 'commit' });
  const operator = new Console(page, house.origin, 'user001', () => watch.look(page));
  await operator.button('start').click();
  await operator.is('offDuty');
  await asked;
  arrive();
  await operator.is('available');
});

test('the SDK does not load', async ({ contextFor, house }) => {
  const page = await (await contextFor()).newPage();
  await page.route('**/sdk/**', (route) => route.fulfill({ status: 200, contentType: 'text/javascript', body: '' }));
  await page.goto(house.origin);
  const operator = new Console(page, house.origin, 'user001');
  await operator.alive();
  await operator.button('start').click();
  await expect(page.getByRole('alert')).toContainText('電話の機能を読み込めませんでした');
});

test('the page holds a lock while somebody is on duty, so that the browser does not freeze it', async ({ seat }) => {
  const operator = await seat();
  const { page } = operator;
  const locks = (): Promise<unknown> =>
    page.evaluate(async () => (await navigator.locks.query()).held?.map(({ name, mode }) => ({ name, mode })));
  const held = [{ name: 'hitoku-shift', mode: 'shared' }];
  expect(await locks()).toEqual([]);
  await operator.startShift();
  await expect.poll(locks).toEqual(held);
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })));
  await expect.poll(locks, 'on the way into the back/forward cache').toEqual([]);
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await expect.poll(locks).toEqual(held);
  await operator.endShift();
  await expect.poll(locks).toEqual([]);
});

test.describe('the sounds do not arrive', () => {
  test.use({ expected: COMPLAINTS });

  test('when the shift begins, so that it does not begin', async ({ seat, cloud }) => {
    const operator = await seat();
    const ringtones = await countRingtones(operator.page);
    await operator.page.route('**/sounds/**', (route) => route.abort());
    await operator.button('start').click();
    await operator.is('attention');
    await expect(operator.page.getByRole('alert')).toContainText('サーバーに接続できません');
    expect(await cloud.registered('user001')).toBe(0);

    await operator.page.unroute('**/sounds/**');
    await operator.button('again').click();
    await operator.is('available');
    await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await expect.poll(ringtones).toBe(1);
  });

  test('because the server has others by now', async ({ seat }) => {
    const operator = await seat();
    await operator.page.route('**/sounds/**', (route) => route.fulfill({ status: 404 }));
    await operator.button('start').click();
    await expect(operator.page.getByRole('alert')).toContainText('電話の機能を読み込めませんでした');
  });

  test('any more when the shift has begun, and it rings all the same', async ({ seat, cloud }) => {
    const operator = await seat();
    const ringtones = await countRingtones(operator.page);
    await operator.startShift();
    const asked = await operator.page.evaluate(() => {
      const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
      return entries.filter(({ name }) => name.includes('/sounds/incoming')).map(({ transferSize }) => transferSize);
    });
    expect(asked[0]).toBeGreaterThan(0);
    expect(asked.slice(1), "the SDK's own requests are answered by the browser").toEqual([0]);
    await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await expect.poll(ringtones).toBe(1);
  });
});

test.describe('what the page is made of does not arrive', () => {
  test.use({ expected: /Failed to load resource|Failed to fetch|dynamically imported/ });

  for (const what of ['**/*.wasm', '**/pkg/*.js']) {
    test(what, async ({ contextFor, house }) => {
      const page = await (await contextFor()).newPage();
      await page.route(what, (route) => route.abort());
      await page.goto(house.origin);
      await expect(page.getByRole('alert')).toContainText('画面を読み込めませんでした');
    });
  }
});

test.describe('a browser that has no WebAssembly', () => {
  test.use({ expected: /WebAssembly|browser is not supported/ });

  for (const [locale, sentence, advice] of [
    ['ja-JP', 'このブラウザーには対応していません', '再読み込み'],
    ['en-GB', 'This browser is not supported', 'reload the page'],
  ] as const) {
    test(`is told that it is the browser, and not to load the page again: ${locale}`, async ({ contextFor, house }) => {
      const page = await (await contextFor({ locale })).newPage();
      await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly'));
      await page.goto(house.origin);
      await expect(page.getByText(sentence)).toBeVisible();
      await expect(page.getByText(advice)).toBeHidden();
    });
  }
});

test.describe('what the server tells the page cannot be read', () => {
  test.use({ expected: /setup/ });

  test('and the page says that it is dead', async ({ contextFor, house }) => {
    const page = await (await contextFor()).newPage();
    await page.route(`${house.origin}/`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: (await response.text()).replace('"identity":', '"operator":') });
    });
    await page.goto(house.origin);
    await expect(page.getByRole('alert')).toContainText('画面を読み込めませんでした');
  });
});
