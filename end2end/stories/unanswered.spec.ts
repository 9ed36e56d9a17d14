// Calls that no operator takes. Each caller is answered all the same: with a courteous sentence, and never with an error.
import type { Caller } from '../harness/cloud.ts';
import { people, WITHHELD } from '../harness/people.ts';
import { expect, test } from '../harness/story.ts';

/** The caller hears a Japanese sentence, and every webhook was answered well. */
async function isAnswered(caller: Caller): Promise<void> {
  await expect.poll(() => caller.said()).not.toEqual([]);
  const { heard, webhooks } = await caller.record();
  const sentence = heard.find((item) => item.kind === 'say');
  expect(sentence?.language).toBe('ja-JP');
  expect(sentence?.text).toMatch(/[ぁ-ん]/);
  expect(webhooks.map((webhook) => webhook.status)).toEqual(webhooks.map(() => 200));
  expect(webhooks.map((webhook) => webhook.error ?? null)).toEqual(webhooks.map(() => null));
}

test('the operator rejects', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await operator.button('reject').click();
  await operator.ended('rejected');
  await isAnswered(caller);
});

test('the caller gives up while it rings', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await caller.hangUp();
  await operator.ended('gaveUp');
  await expect(operator.rings).toHaveCount(0);
  // And the next one rings.
  await cloud.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
});

test('nobody is on duty', async ({ cloud }) => {
  await isAnswered(await cloud.call(people.koshii));
});

test('the operator has ended the shift', async ({ operator, cloud }) => {
  await operator.endShift();
  await isAnswered(await cloud.call(people.koshii));
  await operator.is('offDuty');
});

test('nobody knows the caller', async ({ operator, cloud }) => {
  await isAnswered(await cloud.call(people.stranger));
  await expect(operator.rings).toHaveCount(0);
});

test.describe('with somebody who takes unknown callers', () => {
  test.use({ settings: { UNKNOWN_CALLERS: 'user001' } });

  test('an unknown caller is recognised by the same name at every call', async ({ operator, cloud }) => {
    const ring = operator.ringOf('登録のない発信者');
    const names: (string | null)[] = [];
    for (const caller of [people.stranger, people.stranger]) {
      const call = await cloud.call(caller);
      await operator.ringsFor('登録のない発信者', '呼び名');
      names.push(await ring.locator('.call__id bdi').textContent());
      await call.hangUp();
      await operator.ended('gaveUp');
    }
    expect(names[0]).toMatch(/^[A-Z][a-z]{5}-[A-Z][a-z]{5}$/);
    expect(names[1]).toBe(names[0]);
    // Who withholds the number has none to be recognised by.
    await isAnswered(await cloud.call(WITHHELD));
    await expect(operator.rings).toHaveCount(0);
  });
});

test('the caller withholds the number', async ({ operator, cloud }) => {
  await isAnswered(await cloud.call(WITHHELD));
  await expect(operator.rings).toHaveCount(0);
});

test.describe('with the company behind it', () => {
  test.use({ form: 'production' });

  const faults = {
    'hangs': () => {},
    'breaks the connection': (_: unknown, response: import('node:http').ServerResponse) => response.destroy(),
    'answers 500': (_: unknown, response: import('node:http').ServerResponse) => void response.writeHead(500).end('oops'),
    'answers nonsense': (_: unknown, response: import('node:http').ServerResponse) => void response.end('<html>'),
    'knows nobody': (_: unknown, response: import('node:http').ServerResponse) => void response.end('{}'),
    'names no operator': (_: unknown, response: import('node:http').ServerResponse) => void response.end('{"appId":null}'),
  };
  for (const [what, fault] of Object.entries(faults)) {
    test(`the company's API ${what}`, async ({ house, cloud }) => {
      house.company!.instead = fault;
      await isAnswered(await cloud.call(people.koshii));
    });
  }
});
