// As in production: with Twilio's settings, behind a front door, asking the company's API, and the SDK reaching Twilio's own host names over
// TLS without a line of script in between.
import { people } from '../harness/people.ts';
import { COMPLAINTS, expect, test } from '../harness/story.ts';

test.use({ form: 'production' });

test('a customer calls, the operator answers, they talk', async ({ seat, cloud, house }) => {
  const operator = await seat();
  const socket = operator.page.waitForEvent('websocket');
  await operator.startShift();
  expect((await socket).url()).toMatch(/^wss:\/\/voice-js\.roaming\.twilio\.com\/signal$/);

  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳', 'cm-koshii');
  await operator.accept();
  await operator.talksWith(caller);
  expect((await caller.record()).webhooks[0]?.url).toBe(`${house.origin}/incoming`);
  await operator.button('hangUp').click();
  await operator.ended('hungUp');
  await expect.poll(() => caller.status()).toBe('completed');
});

test('nothing in the page speaks of the rehearsal', async ({ seat, house }) => {
  const operator = await seat();
  const response = await fetch(house.origin);
  const page = await response.text();
  expect(page).not.toMatch(/ws:\/\/|127\.0\.0\.1|globalThis\.WebSocket/);
  const policy = response.headers.get('content-security-policy') ?? '';
  expect(policy).not.toContain('unsafe-inline');
  expect(policy).not.toMatch(/ws:|127\.0\.0\.1/);
  expect(policy).toContain('wss://');
  expect(response.headers.get('permissions-policy')).toContain('microphone=(self)');
  await operator.is('offDuty');
});

test.describe('with errors on the way', () => {
  test.use({ expected: COMPLAINTS });

  test('the connection is cut during a call, which goes on through another edge', async ({ operator, cloud }) => {
    const caller = await cloud.call(people.oneil);
    await operator.ringsFor("O'Neil & Sons <K>", 'cm-oneil');
    await operator.accept();
    const socket = operator.page.waitForEvent('websocket');
    await cloud.cut('user001');
    expect((await socket).url()).toMatch(/^wss:\/\/voice-js\.[a-z]+\.twilio\.com\/signal$/);
    await operator.talksWith(caller);
    await operator.is('connected');
  });

  test('our server restarts while the operator waits, and the next call rings', async ({ operator, cloud, house }) => {
    await operator.hasSounds();
    await house.server.end();
    await house.startServer();
    await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
  });
});

test('an identity that Twilio cannot dial as it is rings all the same', async ({ seat, cloud, house }) => {
  house.company!.instead = (_, response) => {
    const answer = { appId: 'taro.yamada@example-1', customerName: '越井 琢巳', customerId: 'cm-koshii' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  };
  const operator = await (await seat({ identity: 'taro.yamada@example-1' })).startShift();
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
});
