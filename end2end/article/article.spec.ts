// The article's own page, as it stands, on its own origin: it gets its token from us and its call from the cloud, and since our TwiML names a
// `callerId`, the caller's number no longer reaches its browser either.
import { Door } from '../harness/company.ts';
import { allow } from '../harness/microphone.ts';
import { people } from '../harness/people.ts';
import { hearEachOther } from '../harness/sound.ts';
import { expect, test as base } from '../harness/story.ts';
import { openArticle } from './site.ts';

/** Where its functions are: on our server, which starts later. */
const site: { functions?: string } = {};

const test = base.extend<{ door: Door }>({
  door: async ({}, use) => {
    const door = await openArticle(() => site.functions ?? '');
    await use(door);
    await door.close();
  },
  form: 'production',
  settings: async ({ door }, use) => use({ CORS_ALLOW_ORIGIN: door.origin }),
  // The article's page is not ours: it takes its sounds from Twilio, where the stand-in has none, and has no icon.
  expected: /\bhttps:\/\/sdk\.twilio\.com\/js\/client\/sounds\/|\/favicon\.ico\)$/,
});

test("the article's page gets its call", async ({ door, house, cloud, contextFor }) => {
  site.functions = house.origin;
  const context = await contextFor();
  await allow(context, door.origin, true);
  const page = await context.newPage();
  await page.goto(door.origin);
  await page.getByRole('button', { name: '音声機能を初期化' }).click();
  await expect(page.locator('#initStatus')).toHaveText('初期化済み。受話待機中 ( identity: user001 )');

  const caller = await cloud.call(people.koshii);
  await expect(page.locator('#incomingInfo')).toHaveText('着信: 越井 琢巳 (ID: cm-koshii)');
  await page.getByRole('button', { name: '受話する' }).click();
  await hearEachOther(page, caller, 440);
  await caller.hangUp();
  await expect(page.locator('#status')).toContainText('通話が終了しました');
  await expect(page.locator('#incomingInfo')).toHaveText('着信待ち');
});

test.describe('to an origin that is not allowed', () => {
  // The browser says whom it refused what.
  test.use({ expected: /\/token\?identity=user001[')]|\/favicon\.ico\)$/ });

  test('no token is given', async ({ door, house, contextFor }) => {
    const stranger = await Door.open((_, response) => response.end('<!doctype html><title>a stranger</title>'));
    const page = await (await contextFor()).newPage();
    await page.goto(stranger.origin);
    const token = (url: string): Promise<string> =>
      page.evaluate((from) => fetch(from).then((response) => response.text(), (error: Error) => error.name), url);
    expect(await token(`${house.origin}/token?identity=user001`)).toBe('TypeError');
    await page.goto(door.origin);
    expect(await token(`${house.origin}/token?identity=user001`)).toContain('"token"');
    await page.goto('about:blank');
    await stranger.close();
  });
});
