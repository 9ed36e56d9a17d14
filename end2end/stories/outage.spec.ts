// What breaks, comes back. Meanwhile the console says no more than is true.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Console } from '../harness/console.ts';
import type { Cloud } from '../harness/cloud.ts';
import { Machine } from '../harness/machine.ts';
import { people } from '../harness/people.ts';
import { SENTENCES } from '../harness/sentences.ts';
import { COMPLAINTS, expect, test } from '../harness/story.ts';

test.use({ expected: COMPLAINTS });

/** Longer than browsers let the timers of a page wait that nobody looks at: only sleep is so long. */
const ASLEEP = 125_000;

/** The browser takes itself for offline, and is reached all the same. */
async function saysOffline(operator: Console): Promise<void> {
  await operator.page.evaluate(() => dispatchEvent(new Event('offline')));
}

for (const [how, leave] of Object.entries({ 'ends and starts': 'end', 'is killed and starts': 'kill' } as const)) {
  test(`the server ${how} again while the operator waits`, async ({ operator, house }) => {
    await operator.hasSounds();
    await house.server[leave]();
    await operator.is('lineDown');
    await house.startServer();
    await expect(operator.status).toHaveText(operator.word('available'), { timeout: 30_000 });
    const caller = await house.cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await operator.accept();
    await operator.talksWith(caller);
  });
}

test('the connection is cut while a call rings', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  const reconnected = operator.page.waitForEvent('websocket');
  await cloud.cut('user001');
  await reconnected;
  // The caller is told, and nobody is left with a card that answers nothing.
  await expect.poll(() => caller.said()).toEqual([expect.stringContaining(SENTENCES.noAnswer)]);
  await operator.ended('ringLost');
  await expect(operator.rings).toHaveCount(0);
  await cloud.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
});

test('the connection is cut during a call, which goes on', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  const reconnected = operator.page.waitForEvent('websocket');
  await cloud.cut('user001');
  await reconnected;
  await operator.is('connected');
  await operator.talksWith(caller);
  await expect.poll(() => cloud.registered('user001')).toBe(1);
  await operator.button('hangUp').click();
  await operator.ended('hungUp');
  await expect.poll(() => caller.status()).toBe('completed');
});

test('the connection is cut during a call that cannot be resumed', async ({ operator, cloud }) => {
  await cloud.fail({ reconnectTokens: false });
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  await cloud.cut('user001');
  await operator.ended('lost');
  // The SDK alone would drop every later call.
  const next = await cloud.call(people.sato, 880);
  await operator.ringsFor('佐藤 美咲');
  await operator.accept();
  await operator.talksWith(next, 880);
});

test('the cloud goes away and comes back', async ({ operator, cloud }) => {
  await cloud.fail({ offline: true });
  await operator.is('lineDown');
  expect(await cloud.registered('user001')).toBe(0);
  await cloud.fail({ offline: false });
  await expect(operator.status).toHaveText(operator.word('available'), { timeout: 30_000 });
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
});

test('a new connection breaks before the cloud has greeted it', async ({ operator, cloud }) => {
  test.slow();
  // The SDK then forgets that it was registered.
  await cloud.fail({ silent: true });
  const opened = operator.page.waitForEvent('websocket');
  await cloud.cut('user001');
  await (await opened).waitForEvent('framesent');
  await operator.is('lineDown');
  await cloud.fail({ offline: true });
  await cloud.fail({ offline: false, silent: false });
  await expect(operator.status).toHaveText(operator.word('available'), { timeout: 50_000 });
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
});

test('the network appears to be gone, and nothing is promised until the line has proved itself', async ({ operator, cloud }) => {
  const context = operator.page.context();
  await context.setOffline(true);
  await operator.is('lineDoubtful');
  await expect(operator.page.getByRole('main')).toContainText('電話はここで鳴らないことがあります');
  await context.setOffline(false);
  await operator.is('available');

  await cloud.fail({ silent: true });
  await saysOffline(operator);
  await operator.is('lineDoubtful');
  // A call that comes all the same is shown, and is a proof.
  await cloud.fail({ silent: false });
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await operator.accept();
  await operator.talksWith(caller);
  await operator.button('hangUp').click();
  await operator.ended('hungUp');
});

test('the browser says that the network is gone, and is wrong', async ({ operator, cloud }) => {
  await saysOffline(operator);
  await expect(operator.eventLog).toContainText('回線を確認中');
  await operator.is('available');
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
});

/** Promises nothing while the cloud is silent, and rings when the line has proved itself. */
async function ringsOnceProved(operator: Console, cloud: Cloud): Promise<void> {
  await operator.is('lineDoubtful');
  await cloud.fail({ silent: false });
  await cloud.cut('user001');
  await operator.is('available');
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
}

test('the machine has slept, and nothing is promised until the line has proved itself', async ({ operator, cloud }) => {
  await cloud.fail({ silent: true });
  await operator.page.evaluate(() => {
    const { now } = Date;
    Date.now = () => now() + 10 * 60_000;
  });
  await ringsOnceProved(operator, cloud);
});

test('the browser had frozen the page, and nothing is promised until the line has proved itself', async ({ operator, cloud }) => {
  await cloud.fail({ silent: true });
  // A page that is under test counts as seen, and Chromium freezes none that is.
  await operator.page.evaluate(() => document.dispatchEvent(new Event('resume')));
  await ringsOnceProved(operator, cloud);
});

test('the machine sleeps while operators wait, and wakes', async ({ operator, seat, cloud }) => {
  test.setTimeout(240_000);
  await operator.hasSounds();
  const other = await (await seat({ identity: 'user002' })).startShift();
  const machine = new Machine();
  machine.sleep();
  try {
    const slept = sleep(ASLEEP);
    // A network that forgets who does not answer. The other's keeps everything for when they wake.
    await cloud.cut('user001');
    const caller = await cloud.call(people.koshii);
    await expect.poll(() => caller.said()).toEqual([expect.stringContaining(SENTENCES.noAnswer)]);
    await slept;
  } finally {
    machine.wake();
  }
  await expect(operator.eventLog).toContainText('回線が切れました');
  await expect(other.eventLog).toContainText('回線を確認中');
  for (const woken of [operator, other]) {
    await woken.is('available');
    await expect(woken.rings).toHaveCount(0);
    await expect.poll(() => cloud.registered(woken.identity)).toBe(1);
  }
  const caller = await cloud.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
  await operator.accept();
  await operator.talksWith(caller);
  await cloud.call(people.suzuki);
  await other.ringsFor('鈴木 一郎');
});

test('the network appears to be gone during a call, whose sound says that it is not', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.page.context().setOffline(true);
  await expect(operator.eventLog).toContainText('回線を確認中');
  await operator.talksWith(caller);
  await operator.is('connected');
});

test('the page is looked at again while a call rings', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await operator.page.evaluate(() => {
    for (const event of ['online', 'pageshow']) dispatchEvent(new Event(event));
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await operator.accept();
  await operator.talksWith(caller);
});

test('the cloud falls silent', async ({ operator, cloud }) => {
  test.slow();
  await cloud.fail({ silent: true });
  // The SDK waits fifteen seconds for a sign of life.
  await expect(operator.status).toHaveText(operator.word('lineDown'), { timeout: 30_000 });
  await cloud.fail({ silent: false });
  await expect(operator.status).toHaveText(operator.word('available'), { timeout: 50_000 });
});

test('the cloud cannot be reached when the shift begins', async ({ seat, cloud }) => {
  const operator = await seat();
  await cloud.fail({ offline: true });
  await operator.button('start').click();
  await expect(operator.page.getByRole('alert')).toContainText('電話回線に接続できません', { timeout: 30_000 });
  await cloud.fail({ offline: false });
  await operator.button('again').click();
  await operator.is('available');
});

test('the sound is interrupted and comes back', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  await cloud.blackhole('user001', true);
  await expect(operator.status).toHaveText(operator.word('reconnecting'), { timeout: 20_000 });
  await cloud.blackhole('user001', false);
  await operator.is('connected');
  await operator.talksWith(caller);
});

test('no sound ever arrives, and the console does not claim it', async ({ operator, cloud }) => {
  await cloud.blackhole('user001', true);
  const caller = await cloud.call(people.koshii);
  await operator.button('accept').click();
  await operator.is('connecting');
  await expect(operator.talk.getByRole('status')).toContainText('音声がまだ届きません', { timeout: 20_000 });
  await expect(operator.talk.getByRole('timer')).toHaveCount(0);
  expect((await caller.hears()).rms).toBe(0);
});

test('a call that is hung up while the connection is away is over for the customer too', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  await cloud.fail({ offline: true });
  await operator.is('reconnecting');
  await operator.button('hangUp').click();
  await operator.is('lineDown');
  // The browser's media are gone, and the cloud holds the call all the same: only a hang-up ends it.
  await expect.poll(async () => (await caller.hears()).rms).toBe(0);
  expect(await caller.status()).toBe('in-progress');
  await cloud.fail({ offline: false });
  await expect(operator.status).toHaveText(operator.word('available'), { timeout: 30_000 });
  const hangUps = async (): Promise<unknown[]> =>
    (await cloud.frames()).filter(({ direction, text }) => direction === 'in' && JSON.parse(text).type === 'hangup');
  await expect.poll(hangUps).toHaveLength(1);
  await expect.poll(() => caller.status()).toBe('completed');
  // Twilio may refuse what comes before it has looked at the token.
  const types = (await cloud.frames()).map(({ text }) => JSON.parse(text).type);
  expect(types.indexOf('hangup')).toBeGreaterThan(types.lastIndexOf('connected'));
});

for (const [when, isBack] of [['before the line is back', false], ['when the line is back', true]] as const) {
  test(`a call whose stream the cloud has closed is hung up ${when}, and is over for the customer too`, async ({ operator, cloud }) => {
    const caller = await cloud.call(people.koshii);
    await operator.accept();
    await operator.talksWith(caller);
    await cloud.close('user001');
    await expect(operator.eventLog).toContainText('回線が切れました');
    // Otherwise most likely not yet.
    if (isBack) await expect.poll(() => cloud.registered('user001')).toBe(1);
    await operator.button('hangUp').click();
    await expect.poll(() => caller.status(), { timeout: 5_000 }).toBe('completed');
    await operator.ended('hungUp');
    await cloud.call(people.sato);
    await operator.ringsFor('佐藤 美咲');
  });
}

test('the sound is interrupted for good, and the call ends as what it was', async ({ operator, cloud }) => {
  test.slow();
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  await cloud.blackhole('user001', true);
  await expect(operator.status).toHaveText(operator.word('reconnecting'), { timeout: 20_000 });
  // The SDK mends for thirty-seven seconds, and then hangs up.
  await expect(operator.status).toHaveText(operator.word('available'), { timeout: 50_000 });
  await expect(operator.lastCall).toContainText(operator.word('failed'));
  await expect(operator.lastCall).toContainText('53405');
  await expect.poll(() => caller.status()).toBe('completed');
  await cloud.blackhole('user001', false);
  const next = await cloud.call(people.sato, 880);
  await operator.ringsFor('佐藤 美咲');
  await operator.accept();
  await operator.talksWith(next, 880);
});
