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
    await expect(operator.eventLog).not.toContainText('回線が切れました');
  });

  test('is renewed once by a page that wakes, however often it is told so, and not while it is young', async ({ seat, cloud }) => {
    const operator = await seat();
    const { page } = operator;
    await operator.startShift();
    let asked = 0;
    page.on('request', (request) => {
      if (new URL(request.url()).pathname === '/token') asked += 1;
    });
    /** Tells the page so much later, before any timer of its own sees the time, that it may have been away. */
    const wakes = (events: readonly string[], later: number): Promise<void> =>
      page.evaluate(async ({ events, later }) => {
        const { now } = Date;
        Date.now = () => now() + later;
        for (const event of events) document.dispatchEvent(new Event(event, { bubbles: true }));
        // What they set going has begun by then.
        await new Promise((begun) => setTimeout(begun));
      }, { events, later });

    const one = ['visibilitychange', 'pageshow', 'online'];
    for (const [renewals, events] of [...one.map((event) => [event]), [...one, ...one]].entries()) {
      await wakes(events, 5_000);
      expect(asked, `while it is young, ${events}`).toBe(renewals);
      await wakes(events, 30_000);
      await expect(operator.eventLog.getByText('認証を更新しました')).toHaveCount(renewals + 1);
      expect(asked, `past its half, ${events}`).toBe(renewals + 1);
    }
    await operator.is('available');
    await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
  });
});

/** When a token ends, in seconds since 1970. */
function expiry(token: string): number {
  const [, claims = ''] = token.split('.');
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number }).exp;
}

test.describe('the server is away until the token is over', () => {
  test.use({ form: 'production', settings: { TOKEN_TTL_SEC: '60' } });

  test('and the console says so, and rings when the server is back', async ({ seat, house, cloud }) => {
    test.slow();
    const operator = await seat();
    await operator.startShift();
    await operator.hasSounds();
    await house.server.end();
    while ((await operator.status.textContent()) === operator.word('available')) {
      expect(await cloud.registered('user001'), 'it says that it would ring').toBe(1);
      await operator.page.waitForTimeout(200);
    }
    await expect.poll(() => cloud.registered('user001')).toBe(0);
    await operator.is('lineDown');
    await house.startServer();
    await expect(operator.status).toHaveText(operator.word('available'), { timeout: 50_000 });
    expect(await cloud.registered('user001')).toBe(1);
    const caller = await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await operator.accept();
    await operator.talksWith(caller);
  });
});

test('the cloud no longer registers a device whose token it calls expired, until it has another', async ({ seat, cloud }) => {
  test.slow();
  const operator = await seat();
  await cloud.fail({ tokenTtlCap: 20 });
  await operator.startShift();
  // The SDK registers every thirty seconds, and stops at the first refusal with its socket open.
  await expect(operator.eventLog).toContainText('20104', { timeout: 40_000 });
  await expect(operator.eventLog).toContainText('回線が切れました');
  await cloud.fail({ tokenTtlCap: null });
  await operator.is('available');
  expect(await cloud.registered('user001')).toBe(1);
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
});

test('the cloud ends a token before its time, and the console comes back with another', async ({ operator, cloud }) => {
  const renewed = operator.page.waitForResponse((response) => new URL(response.url()).pathname === '/token');
  await cloud.fail({ tokenTtlCap: 0 });
  // The cloud looks at a token when it is shown: after a cut connection it is.
  await cloud.cut('user001');
  await expect(operator.eventLog).toContainText('20104');
  await operator.is('lineDown');
  await cloud.fail({ tokenTtlCap: null });
  await renewed;
  await expect(operator.status).toHaveText(operator.word('available'), { timeout: 30_000 });
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
});

test('a token that comes when its shift is over is not used by the next', async ({ seat, cloud }) => {
  const operator = await seat();
  const { page } = operator;
  let comesLate = async (): Promise<void> => {};
  await page.route('**/token*', async (route) => {
    const response = await route.fetch();
    const { token, ...rest } = (await response.json()) as { token: string };
    const [header = '', claims = ''] = token.split('.');
    comesLate = () => route.fulfill({ response, json: { ...rest, token: `${header}.${claims}.forged` } });
  }, { times: 1 });
  const asked = page.waitForRequest('**/token*');
  await operator.button('start').click();
  await asked;
  await page.getByRole('button', { name: '中止' }).click();
  await operator.startShift();
  await comesLate();
  // A new device takes the newest token.
  await cloud.fail({ reconnectTokens: false });
  await cloud.call(people.koshii);
  await operator.accept();
  await cloud.cut('user001');
  await operator.ended('lost');
  await expect(operator.eventLog).not.toContainText('20101');
});

test('the server gives no token to this desk', async ({ seat }) => {
  const operator = await seat();
  await operator.page.route('**/token*', (route) => route.fulfill({ status: 400, json: { error: 'invalid_identity', message: '' } }));
  await operator.button('start').click();
  await operator.is('attention');
  await expect(operator.page.getByRole('alert')).toContainText('この担当者 ID を認証できませんでした');
  await operator.page.unroute('**/token*');
  await operator.button('again').click();
  await operator.is('available');
});

for (const [what, answer] of [
  ['that the sign-in has ended', { status: 401 }],
  ['to its sign-in, elsewhere', { status: 302, headers: { location: 'https://sign-in.example.com/' } }],
] as const) {
  test(`what stands before the server says ${what}`, async ({ seat }) => {
    const operator = await seat();
    await operator.page.route('**/*', (route) => route.fulfill(answer));
    await operator.button('start').click();
    await operator.is('attention');
    await expect(operator.page.getByRole('alert')).toContainText('この担当者 ID を認証できませんでした');
    await expect(operator.page.getByText('会社のサインインが切れているかもしれません')).toBeVisible();
    await operator.page.unroute('**/*');
    await operator.button('again').click();
    await operator.is('available');
  });
}

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
  await expect(operator.page.getByRole('alert')).toContainText('電話回線で認証できませんでした');
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
