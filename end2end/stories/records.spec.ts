// What is kept of a call: as it was, without a number, for whoever asks at a shell.
import { people } from '../harness/people.ts';
import { expect, test } from '../harness/story.ts';

test('a call that was answered, and one that was not, are kept as they were', async ({ house, operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await operator.accept();
  await operator.talksWith(caller);
  await operator.button('hangUp').click();
  await operator.ended('hungUp');
  const second = await cloud.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
  await second.hangUp();
  await operator.ended('gaveUp');
  await cloud.call(people.stranger);

  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;
  const lines = [
    new RegExp(`^${time} +${time} +${time} +${time} +completed +user001 +cm-koshii .* ${caller.callSid}$`, 'm'),
    new RegExp(`^${time} +${time} +${time} +canceled +user001 +cm-sato `, 'm'),
    new RegExp(`^${time} +(${time} +)?unknown caller +\\([A-Z][a-z]+-[A-Z][a-z]+\\) `, 'm'),
  ];
  // They come into the database a moment after the webhooks.
  await expect
    .poll(async () => {
      const calls = await house.command('calls');
      return lines.filter((line) => !line.test(calls)).map((line) => `${line} in:\n${calls}`);
    })
    .toEqual([]);
  expect(await house.command('audit', 'verify')).toMatch(/^✓ \d+ entries/m);
});
