// Without a microphone nobody is available, and the page says what to do.
import { allow, opensLate, plug, plugIn } from '../harness/microphone.ts';
import { people } from '../harness/people.ts';
import { countRingtones, openedMicrophones, openMicrophones, unplug } from '../harness/sound.ts';
import { COMPLAINTS, expect, test } from '../harness/story.ts';

test.describe('refused', () => {
  test.use({ microphone: 'refused' });

  test('at the start of the shift', async ({ seat, cloud, house }) => {
    const operator = await seat();
    await operator.button('start').click();
    await operator.is('attention');
    await expect(operator.page.getByRole('alert')).toContainText('マイクの使用が許可されていません');
    expect(await cloud.registered('user001')).toBe(0);
    const caller = await cloud.call(people.koshii);
    await expect.poll(() => caller.said()).not.toEqual([]);

    await allow(operator.page.context(), house.origin, true);
    await operator.button('again').click();
    await operator.is('available');
  });
});

test.describe('missing', () => {
  test.use({ microphone: 'missing' });

  test('at the start of the shift', async ({ seat, cloud }) => {
    const operator = await seat();
    await operator.button('start').click();
    await expect(operator.page.getByRole('alert')).toContainText('マイクが見つかりません');
    expect(await cloud.registered('user001')).toBe(0);
  });
});

test('refused after all when a call is accepted, in a browser that does not tell before', async ({ seat, cloud, house }) => {
  const operator = await seat();
  await operator.page.evaluate(() => Object.defineProperty(navigator, 'permissions', { value: undefined }));
  await operator.startShift();
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await allow(operator.page.context(), house.origin, false);
  await operator.button('accept').click();
  await operator.is('attention');
  await expect(operator.page.getByRole('alert')).toContainText('マイクの使用が許可されていません');
  await expect.poll(() => cloud.registered('user001')).toBe(0);
  await expect.poll(() => caller.status()).not.toMatch(/ringing|in-progress/);
});

test('withdrawn while the operator waits', async ({ operator, cloud, house }) => {
  await allow(operator.page.context(), house.origin, false);
  await operator.is('attention');
  await expect(operator.page.getByRole('alert')).toContainText('マイクの使用が許可されていません');
  await expect.poll(() => cloud.registered('user001')).toBe(0);
  await allow(operator.page.context(), house.origin, true);
  await operator.button('again').click();
  await operator.is('available');
});

test.describe('withdrawn while a call rings', () => {
  test.use({ expected: COMPLAINTS });

  test('it rings on at another console', async ({ operator, seat, cloud, house }) => {
    const ringtones = await countRingtones(operator.page);
    const other = await (await seat()).startShift();
    const caller = await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await other.ringsFor('越井 琢巳');
    await expect.poll(ringtones).toBe(1);
    await allow(operator.page.context(), house.origin, false);
    await operator.is('attention');
    await expect(operator.page.getByRole('alert')).toContainText('マイクの使用が許可されていません');
    await expect.poll(ringtones).toBe(0);
    await expect.poll(() => cloud.registered('user001')).toBe(1);
    expect(await caller.status()).toBe('ringing');
    await other.accept();
    await other.talksWith(caller);
  });

  test('nobody else could answer, and the caller is told', async ({ operator, cloud, house }) => {
    const caller = await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await allow(operator.page.context(), house.origin, false);
    await operator.is('attention');
    await expect.poll(() => caller.said()).not.toEqual([]);
  });
});

test('withdrawn during a call, which goes on, and no other can be taken after it', async ({ operator, cloud, house }) => {
  await cloud.call(people.koshii);
  await operator.accept();
  await allow(operator.page.context(), house.origin, false);
  await operator.hears(440);
  await operator.button('hangUp').click();
  await operator.is('attention');
  await expect(operator.page.getByRole('alert')).toContainText('マイクの使用が許可されていません');
  await expect.poll(() => cloud.registered('user001')).toBe(0);
});

test('unplugged while the operator waits', async ({ operator, cloud }) => {
  const { page } = operator;
  await plug(page, true);
  await operator.is('available');
  await plug(page, false);
  await operator.is('attention');
  await expect(page.getByRole('alert')).toContainText('マイクが見つかりません');
  await expect.poll(() => cloud.registered('user001')).toBe(0);
  await plug(page, true);
  await operator.button('again').click();
  await operator.is('available');
});

test('unplugged during a call, and back before its end', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await plug(operator.page, false);
  await operator.talksWith(caller);
  await plug(operator.page, true);
  await operator.button('hangUp').click();
  await operator.ended('hungUp');
});

test('another becomes the default one during calls, and is closed with each', async ({ operator, cloud }) => {
  const { page } = operator;
  for (const [person, name] of [[people.koshii, 'Headset'], [people.sato, 'Loudspeaker']] as const) {
    const caller = await cloud.call(person);
    await operator.accept();
    await operator.talksWith(caller);
    const opened = await openedMicrophones(page);
    await plugIn(page, name);
    // The SDK opens it by itself.
    await expect.poll(() => openedMicrophones(page)).toBe(opened + 1);
    await operator.talksWith(caller);
    await operator.button('hangUp').click();
    await operator.ended('hungUp');
    await expect.poll(() => openMicrophones(page), 'open while nobody talks').toBe(0);
  }
});

test('another becomes the default one during a call, and is there only after it', async ({ operator, cloud }) => {
  const { page } = operator;
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  const opened = await openedMicrophones(page);
  const open = await opensLate(page);
  await plugIn(page, 'Headset');
  await open.isAsked();
  await operator.button('hangUp').click();
  await operator.ended('hungUp');
  await open.now();
  await expect.poll(() => openedMicrophones(page)).toBe(opened + 1);
  await expect.poll(() => openMicrophones(page), 'open while nobody talks').toBe(0);
});

test('gone in the middle of a call, and no other is there', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  await plug(operator.page, false);
  await unplug(operator.page);
  await operator.is('silent');
  await expect(operator.talk).toContainText('こちらの声が送られていません');
  await operator.button('hangUp').click();
  await operator.is('attention');
});

test('gone in the middle of a call, and another is there', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  await unplug(operator.page);
  await expect.poll(async () => (await caller.hears()).rms).toBeLessThan(20);
  await operator.is('silent');
  await operator.talksWith(caller);
  await operator.is('connected');
  await operator.button('hangUp').click();
  await operator.ended('hungUp');
  await expect.poll(() => openMicrophones(operator.page)).toBe(0);
});

test('gone again, and while the operator is muted', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  for (let time = 0; time < 2; time += 1) {
    await unplug(operator.page);
    await operator.is('silent');
    await operator.talksWith(caller);
    await operator.is('connected');
  }
  await operator.button('mute').click();
  await unplug(operator.page);
  await expect.poll(() => openMicrophones(operator.page)).toBe(0);
  await operator.button('mute').click();
  await operator.talksWith(caller);
  await operator.button('hangUp').click();
  await operator.ended('hungUp');
});
