// Two people at two browsers: a customer at the customer's phone, an operator at the console. Both microphones beep.
import { Phone } from '../harness/phone.ts';
import { people } from '../harness/people.ts';
import { expect, test as base } from '../harness/story.ts';

const test = base.extend<{ phone: Phone }>({
  phone: async ({ browser, house }, use) => {
    const phone = await Phone.open(browser, house.phoneOrigin);
    await use(phone);
    await phone.close();
  },
});

test('the customer calls, both talk, the customer hangs up', async ({ phone, operator }) => {
  await phone.call(people.koshii);
  await operator.ringsFor('越井 琢巳', 'cm-koshii');
  await phone.is('呼び出しています');
  await operator.accept();
  await phone.talksWith(operator);
  await phone.press('切る');
  await operator.ended('callerHungUp');
  await phone.is('通話が終わりました');
});

test('the operator hangs up, and the customer calls again', async ({ phone, operator }) => {
  await phone.call("O'Neil & Sons <K>");
  await operator.ringsFor("O'Neil & Sons <K>");
  await operator.accept();
  await phone.talksWith(operator);
  await operator.button('hangUp').click();
  await phone.is('通話が終わりました');
  await phone.press('もう一度かける');
  await operator.ringsFor("O'Neil & Sons <K>");
  await operator.accept();
  await phone.talksWith(operator);
});

test('the customer gives up', async ({ phone, operator }) => {
  await phone.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
  await phone.press('切る');
  await operator.ended('gaveUp');
});

test('the operator is not there, and the customer is told', async ({ phone }) => {
  await phone.call(people.koshii);
  await expect(phone.announced).toHaveText([/[ぁ-ん]/]);
});

test('nobody knows the customer, or the number is withheld, and the customer is told', async ({ phone, operator }) => {
  for (const who of ['登録のない番号', '非通知']) {
    await phone.call(who);
    await expect(phone.announced).toHaveText([/[ぁ-ん]/]);
    // Headless Chromium has no voice to read it out with; the call ends all the same.
    await phone.is('通話が終わりました');
    await phone.press('戻る');
  }
  await expect(operator.rings).toHaveCount(0);
});

test('the phone says whose customer each caller is', async ({ phone }) => {
  await expect(phone.page.getByRole('radio', { name: '越井 琢巳' })).toHaveAccessibleName(/user001/);
  await expect(phone.page.getByRole('radio', { name: '鈴木 一郎' })).toHaveAccessibleName(/user002/);
});
