// Two people at two browsers: a customer at the customer's phone, an operator at the console. Both microphones beep.
import { allow } from '../harness/microphone.ts';
import { Phone } from '../harness/phone.ts';
import { people } from '../harness/people.ts';
import { SENTENCES } from '../harness/sentences.ts';
import { hearsSomething } from '../harness/sound.ts';
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

test('a customer without a microphone calls again, and is not asked for one again', async ({ phone, operator, house }) => {
  await allow(phone.page.context(), house.phoneOrigin, false);
  await phone.call(people.koshii);
  await expect(phone.page.getByRole('alert')).toContainText('マイクの使用が許可されていません');
  await phone.press('マイクなしでかける');
  await operator.ringsFor('越井 琢巳');
  await phone.press('切る');
  await operator.ended('gaveUp');
  await phone.press('もう一度かける');
  await operator.ringsFor('越井 琢巳');
  // Silence arrives too, and the customer hears.
  await operator.accept();
  await hearsSomething(phone.page);
});

test('who calls again and has lost the microphone meanwhile sees why it does not ring', async ({ phone, operator, house }) => {
  await phone.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await phone.press('切る');
  await operator.ended('gaveUp');
  await allow(phone.page.context(), house.phoneOrigin, false);
  await phone.press('もう一度かける');
  await expect(phone.page.getByRole('alert')).toContainText('マイクの使用が許可されていません');
});

test('the customer gives up', async ({ phone, operator }) => {
  await phone.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
  await phone.press('切る');
  await operator.ended('gaveUp');
});

test('the operator is not there, and the customer is told', async ({ phone }) => {
  await phone.call(people.koshii);
  await expect(phone.announced).toHaveText([new RegExp(SENTENCES.noAnswer)]);
});

test('the first sentence is read out, though the browser has no voices before it is asked', async ({ phone }) => {
  await phone.page.addInitScript(() => {
    const voices: SpeechSynthesisVoice[] = [];
    const spoken: string[] = [];
    speechSynthesis.getVoices = () => {
      if (voices.push({} as SpeechSynthesisVoice) > 1) return voices;
      setTimeout(() => speechSynthesis.dispatchEvent(new Event('voiceschanged')), 200);
      return [];
    };
    speechSynthesis.speak = (utterance) => {
      spoken.push(`${utterance.lang}: ${utterance.text}`);
      utterance.dispatchEvent(new Event('end'));
    };
    (globalThis as unknown as { spoken: string[] }).spoken = spoken;
  });
  await phone.page.reload();
  await phone.call(people.koshii);
  await phone.is('通話が終わりました');
  const spoken = await phone.page.evaluate(() => (globalThis as unknown as { spoken: string[] }).spoken);
  expect(spoken).toEqual([expect.stringMatching(new RegExp(`^ja-JP: .*${SENTENCES.noAnswer}`))]);
});

test('nobody knows the customer, or the number is withheld, and the customer is told', async ({ phone, operator }) => {
  for (const [who, sentence] of Object.entries({ 登録のない番号: SENTENCES.unknown, 非通知: SENTENCES.withheld })) {
    await phone.call(who);
    await expect(phone.announced).toHaveText([new RegExp(sentence)]);
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
