// The token lives a limited time and the shift does not.
import { people } from '../harness/people.ts';
import { expect, test } from '../harness/story.ts';

test.describe('a token that lives ten seconds', () => {
  test.use({ settings: { TOKEN_TTL_SEC: '10' } });

  test('is renewed before it ends, again and again, and calls get through', async ({ seat, cloud }) => {
    const operator = await seat();
    const tokens: string[] = [];
    operator.page.on('response', async (response) => {
      if (new URL(response.url()).pathname === '/token') tokens.push(((await response.json()) as { token: string }).token);
    });
    await operator.startShift();
    // When the fourth has come, the first two have expired.
    await expect.poll(() => tokens.length, { timeout: 45_000 }).toBeGreaterThanOrEqual(4);
    expect(new Set(tokens).size).toBe(tokens.length);
    await operator.is('available');
    await expect(operator.journal).not.toContainText('回線が切れました');
    await cloud.call(people.koshii);
    await operator.accept();
    await operator.hears(440);
  });

  test('is renewed during a call, which goes on', async ({ operator, cloud }) => {
    const caller = await cloud.call(people.koshii);
    await operator.accept();
    const isToken = (response: { url: () => string }): boolean => new URL(response.url()).pathname === '/token';
    await operator.page.waitForResponse(isToken);
    await operator.page.waitForResponse(isToken);
    await operator.is('connected');
    await operator.hears(440);
    await expect.poll(async () => (await caller.hears()).rms).toBeGreaterThan(200);
  });
});

test('the server gives no token to this desk', async ({ seat }) => {
  const operator = await seat();
  await operator.page.route('**/token*', (route) => route.fulfill({ status: 400, json: { error: 'invalid_identity', message: '' } }));
  await operator.button('start').click();
  await operator.is('attention');
  await expect(operator.page.getByRole('alert')).toContainText('このデスクは認証されませんでした');
  await operator.page.unroute('**/token*');
  await operator.button('again').click();
  await operator.is('available');
});

test('the server does not answer', async ({ seat }) => {
  const operator = await seat();
  await operator.page.route('**/token*', (route) => route.abort());
  await operator.button('start').click();
  await expect(operator.page.getByRole('alert')).toContainText('サーバーに接続できません');
  await operator.page.unroute('**/token*');
  await operator.button('again').click();
  await operator.is('available');
});

test('the cloud refuses the token', async ({ seat, cloud }) => {
  const operator = await seat();
  await cloud.fail({ refuseTokens: true });
  await operator.button('start').click();
  await expect(operator.page.getByRole('alert')).toContainText('電話網に認証されませんでした');
  await cloud.fail({ refuseTokens: false });
  await operator.button('again').click();
  await operator.is('available');
});

test('an address whose identity is none is refused with advice', async ({ contextFor, house }) => {
  const page = await (await contextFor()).newPage();
  const response = await page.goto(`${house.origin}/?identity=%E5%B1%B1%E7%94%B0`);
  expect(response?.status()).toBe(400);
  await expect(page.getByRole('heading')).toHaveText('担当者 ID が正しくありません');
});
