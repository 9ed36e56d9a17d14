// Calls that no operator takes. Each caller is answered all the same: with a courteous sentence, and never with an error.
import type { ServerResponse } from 'node:http';
import type { Caller } from '../harness/cloud.ts';
import type { Company } from '../harness/company.ts';
import { people, WITHHELD } from '../harness/people.ts';
import { SENTENCES, type Sentence } from '../harness/sentences.ts';
import { expect, test } from '../harness/story.ts';

/** The caller hears this sentence and nothing else, in Japanese, and every webhook was answered well. */
async function isAnswered(caller: Caller, sentence: Sentence): Promise<void> {
  await expect.poll(() => caller.said()).not.toEqual([]);
  const { heard, webhooks } = await caller.record();
  const said = heard.filter((item) => item.kind === 'say');
  expect(said).toEqual([{ kind: 'say', language: 'ja-JP', text: expect.stringContaining(SENTENCES[sentence]) }]);
  expect(webhooks.map((webhook) => webhook.status)).toEqual(webhooks.map(() => 200));
  expect(webhooks.map((webhook) => webhook.error ?? null)).toEqual(webhooks.map(() => null));
}

test('the operator rejects', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await operator.button('reject').click();
  await operator.ended('rejected');
  await isAnswered(caller, 'busy');
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
  await isAnswered(await cloud.call(people.koshii), 'noAnswer');
});

test('the operator has ended the shift', async ({ operator, cloud }) => {
  await operator.endShift();
  await isAnswered(await cloud.call(people.koshii), 'noAnswer');
  await operator.is('offDuty');
});

test('nobody knows the caller', async ({ operator, cloud }) => {
  await isAnswered(await cloud.call(people.stranger), 'unknown');
  await expect(operator.rings).toHaveCount(0);
});

test.describe('with somebody who takes unknown callers', () => {
  test.use({ settings: { UNKNOWN_CALLERS: 'user001' } });

  test('an unknown caller is recognised by the same name at every call', async ({ operator, cloud }) => {
    const names: string[] = [];
    for (const caller of [people.stranger, people.stranger]) {
      const call = await cloud.call(caller);
      await expect(operator.rings).toContainText('未登録の発信者');
      const name = await operator.rings.getByRole('heading').innerText();
      await operator.ringsFor(name);
      names.push(name);
      await call.hangUp();
      await operator.ended('gaveUp');
      await expect(operator.page.locator('.last')).toContainText(name);
    }
    expect(names[0]).toMatch(/^[A-Z][a-z]{5}-[A-Z][a-z]{5}$/);
    expect(names[1]).toBe(names[0]);
    // Who withholds the number has none to be recognised by.
    await isAnswered(await cloud.call(WITHHELD), 'withheld');
    await expect(operator.rings).toHaveCount(0);
  });
});

test('the caller withholds the number', async ({ operator, cloud }) => {
  await isAnswered(await cloud.call(WITHHELD), 'withheld');
  await expect(operator.rings).toHaveCount(0);
});

test.describe('with the company behind it', () => {
  test.use({ form: 'production' });

  const answer = (status: number, body: string) => (_: unknown, response: ServerResponse) => void response.writeHead(status).end(body);
  const faults: Record<string, [fault: NonNullable<Company['instead']>, sentence: Sentence]> = {
    hangs: [() => {}, 'trouble'],
    'breaks the connection': [(_, response) => response.destroy(), 'trouble'],
    'answers 500': [answer(500, 'oops'), 'trouble'],
    'answers nonsense': [answer(200, '<html>'), 'trouble'],
    'knows nobody': [answer(200, '{}'), 'unknown'],
    'names no operator': [answer(200, '{"appId":null}'), 'unknown'],
  };
  for (const [what, [fault, sentence]] of Object.entries(faults)) {
    test(`the company's API ${what}`, async ({ house, cloud }) => {
      house.company!.instead = fault;
      await isAnswered(await cloud.call(people.koshii), sentence);
    });
  }
});
