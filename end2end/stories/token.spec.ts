// The token lives a limited time and the shift does not.
import { people } from '../harness/people.ts';
import { COMPLAINTS, expect, test } from '../harness/story.ts';

test.use({ expected: COMPLAINTS });

test.describe('a token that lives as short as a token may', () => {
  test.use({ settings: { TOKEN_TTL_SEC: '60' } });

  test('is renewed during a call, which goes on, and calls ring when the first has expired', async ({ seat, cloud }) => {
    test.slow();
    const operator = await seat();
    const tokens: string[] = [];
    operator.page.on('response', async (response) => {
      if (new URL(response.url()).pathname === '/token') tokens.push(((await response.json()) as { token: string }).token);
    });
    await operator.startShift();
    const caller = await cloud.call(people.koshii);
    await operator.accept();
    await expect.poll(() => tokens.length, { timeout: 70_000 }).toBe(2);
    await operator.is('connected');
    await operator.talksWith(caller);
    await expect.poll(() => Date.now() / 1000 - expiry(tokens[0] ?? ''), { timeout: 30_000 }).toBeGreaterThan(1);
    expect(await cloud.registered('user001')).toBe(1);
    await operator.button('hangUp').click();
    await operator.ended('hungUp');
    await cloud.call(people.sato);
    await operator.ringsFor('佐藤 美咲');
    await expect(operator.journal).not.toContainText('回線が切れました');
  });
});

/** When a token ends, in seconds since 1970. */
function expiry(token: string): number {
  const [, claims = ''] = token.split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number }).exp;
}

test('the cloud ends a token before its time, and the console comes back with another', async ({ operator, cloud }) => {
  const renewed = operator.page.waitForResponse((response) => new URL(response.url()).pathname === '/token');
  await cloud.fail({ tokenTtlCap: 0 });
  // The cloud looks at a token when it is shown: after a cut connection it is.
  await cloud.cut('user001');
  await expect(operator.journal).toContainText('20104');
  await operator.is('lineDown');
  await cloud.fail({ tokenTtlCap: null });
  await renewed;
  await expect(operator.status).toHaveText(operator.word('available'), { timeout: 30_000 });
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
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
  await expect(operator.page.getByRole('alert')).toContainText('電話網で認証されませんでした');
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
