// Two calls at once: neither hides the other, and neither is lost unseen.
import { people } from '../harness/people.ts';
import { countRingtones, otherSounds } from '../harness/sound.ts';
import { expect, test } from '../harness/story.ts';

test('two ring, one is accepted, then the other', async ({ operator, cloud }) => {
  const first = await cloud.call(people.koshii, 440);
  await operator.ringsFor('越井 琢巳');
  const second = await cloud.call(people.sato, 880);
  await operator.ringsFor('佐藤 美咲');
  await expect(operator.rings).toHaveCount(2);

  await operator.ringOf('越井 琢巳').getByRole('button', { name: operator.word('accept') }).click();
  await operator.is('connected');
  await operator.talksWith(first);
  await operator.ringsFor('佐藤 美咲');

  await operator.button('acceptInstead').click();
  await operator.talksWith(second, 880);
  await expect.poll(() => first.status()).toBe('completed');
  await second.hangUp();
  await operator.ended('callerHungUp');
  await expect(operator.lastCall).toContainText('佐藤 美咲');
});

test('a second call during the first is rejected, and the first goes on', async ({ operator, cloud }) => {
  const first = await cloud.call(people.koshii, 440);
  await operator.accept();
  await operator.talksWith(first);
  const second = await cloud.call(people.sato, 880);
  await operator.ringsFor('佐藤 美咲');
  await operator.ringOf('佐藤 美咲').getByRole('button', { name: operator.word('reject') }).click();
  await expect(operator.rings).toHaveCount(0);
  await expect.poll(() => second.said()).not.toEqual([]);
  await operator.is('connected');
  await operator.talksWith(first);
  expect(await first.status()).toBe('in-progress');
});

test('a second caller gives up, and the first call goes on', async ({ operator, cloud }) => {
  const first = await cloud.call(people.koshii, 440);
  await operator.accept();
  const second = await cloud.call(people.sato, 880);
  await operator.ringsFor('佐藤 美咲');
  await second.hangUp();
  await expect(operator.rings).toHaveCount(0);
  await operator.is('connected');
  await operator.talksWith(first);
});

test('a call that rang beside the first is heard when the first ends', async ({ operator, cloud }) => {
  const ringtones = await countRingtones(operator.page);
  const first = await cloud.call(people.koshii, 440);
  await operator.ringsFor('越井 琢巳');
  await expect.poll(ringtones).toBe(1);
  await operator.accept();
  await expect.poll(ringtones).toBe(0);
  await operator.talksWith(first);
  expect(await otherSounds(operator.page)).toBe(0);
  const second = await cloud.call(people.sato, 880);
  await operator.ringsFor('佐藤 美咲');
  await expect.poll(() => otherSounds(operator.page)).toBe(1);
  expect(await ringtones()).toBe(0);
  await first.hangUp();
  await operator.is('ringing');
  await expect.poll(ringtones).toBe(1);
  await operator.accept();
  await operator.talksWith(second, 880);
  expect(await ringtones()).toBe(0);
});
