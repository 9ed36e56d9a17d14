// A customer calls, the operator answers, they talk, somebody hangs up. Sound is measured at both ends.
import { people } from '../harness/people.ts';
import { countRingtones, openMicrophones } from '../harness/sound.ts';
import { expect, test } from '../harness/story.ts';

test('the operator sees who calls, accepts, talks and hangs up', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳', 'cm-koshii');
  await operator.is('ringing');
  expect(await caller.status()).toBe('ringing');

  await operator.accept();
  await operator.talksWith(caller);
  expect(await caller.status()).toBe('in-progress');
  // As of a telephone, which has no other.
  await expect.poll(async () => (await caller.record()).legs.map(({ codec }) => codec)).toEqual(['pcmu']);
  await expect(operator.talk.getByRole('timer')).toHaveText(/^00:0\d$/);

  await operator.button('hangUp').click();
  await operator.ended('hungUp');
  await expect(operator.lastCall).toContainText('越井 琢巳');
  await expect.poll(() => caller.status()).toBe('completed');
});

test('the customer hangs up', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.sato, 880);
  await operator.ringsFor('佐藤 美咲', 'cm-sato');
  await operator.accept();
  await operator.talksWith(caller, 880);
  await caller.hangUp();
  await operator.ended('callerHungUp');
});

test('a name keeps every character', async ({ seat, cloud }) => {
  const first = await (await seat()).startShift();
  const oneil = await cloud.call(people.oneil);
  await first.ringsFor("O'Neil & Sons <K>", 'cm-oneil');
  await oneil.hangUp();
  await first.ended('gaveUp');

  const second = await (await seat({ identity: 'user002' })).startShift();
  const maria = await cloud.call(people.maria);
  await second.ringsFor('María José 🌸', 'cm-maria');
  await second.accept();
  await second.talksWith(maria);
});

for (const [width, height] of [[640, 320], [390, 844], [1280, 800]] as const) {
  test(`who presses "accept" twice does not hang up, at ${width} by ${height}`, async ({ operator, cloud }) => {
    await operator.page.setViewportSize({ width, height });
    const caller = await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    // Until it takes a press: one that is only just there does not.
    await operator.button('accept').click({ trial: true });
    const accept = await operator.button('accept').boundingBox();
    const press = (): Promise<void> =>
      operator.page.mouse.click(accept!.x + accept!.width / 2, accept!.y + accept!.height / 2);
    await press();
    await operator.is('connected');
    await operator.talksWith(caller);
    await operator.button('mute').click({ trial: true });
    await press();
    await operator.isMuted(true);
    await operator.is('connected');
  });
}

test('while muted the customer hears nothing', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);

  await operator.button('mute').click();
  await operator.isMuted(true);
  await expect.poll(async () => (await caller.hears()).rms).toBeLessThan(20);
  // The operator goes on hearing the customer.
  await operator.hears(440);

  await operator.button('mute').click();
  await operator.isMuted(false);
  await operator.talksWith(caller);
});

test('the microphone is open only while somebody talks', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  expect(await openMicrophones(operator.page)).toBe(0);
  await operator.accept();
  expect(await openMicrophones(operator.page)).toBe(1);
  await operator.talksWith(caller);
  await caller.hangUp();
  await operator.ended('callerHungUp');
  await expect.poll(() => openMicrophones(operator.page)).toBe(0);
});

test('one call after another', async ({ operator, cloud }) => {
  for (const person of [people.koshii, people.sato, people.koshii]) {
    const caller = await cloud.call(person);
    await operator.ringsFor(person.name);
    await operator.accept();
    await operator.talksWith(caller);
    await caller.hangUp();
    await operator.ended('callerHungUp');
  }
  // The event log holds facts and no person.
  await expect(operator.eventLog).toContainText('音声がつながりました');
  for (const person of [people.koshii, people.sato]) await expect(operator.eventLog).not.toContainText(person.name);
});

/** The SDK's own context, in which it rings. */
declare const Twilio: { Device: { audioContext: AudioContext } };

test('sound that the browser has suspended comes back', async ({ operator, cloud }) => {
  const { page } = operator;
  const ringtones = await countRingtones(page);
  const state = (): Promise<string> => page.evaluate(() => Twilio.Device.audioContext.state);
  /** As telephones do when another call comes in; whoever asks for the sound at once asks in vain. */
  const suspend = (): Promise<void> =>
    page.evaluate(async () => {
      const { resume } = AudioContext.prototype;
      AudioContext.prototype.resume = () => new Promise(() => {});
      await Twilio.Device.audioContext.suspend();
      await new Promise((told) => setTimeout(told, 50));
      AudioContext.prototype.resume = resume;
    });

  await page.evaluate(() => Twilio.Device.audioContext.suspend());
  await expect.poll(state).toBe('running');

  await suspend();
  expect(await state()).toBe('suspended');
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await expect.poll(state).toBe('running');

  await suspend();
  expect(await state()).toBe('suspended');
  await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await expect.poll(state).toBe('running');
  expect(await ringtones()).toBe(1);

  await suspend();
  await operator.button('reject').click();
  await expect.poll(state).toBe('running');
});
