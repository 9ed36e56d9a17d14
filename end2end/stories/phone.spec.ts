// Two people at two browsers: a customer at the customer's phone, an operator at the console. Both microphones beep.
import { allow, opensLate } from '../harness/microphone.ts';
import { Phone } from '../harness/phone.ts';
import { people } from '../harness/people.ts';
import { SENTENCES } from '../harness/sentences.ts';
import { hearsSomething, openedMicrophones, openMicrophones } from '../harness/sound.ts';
import { COMPLAINTS, expect, test as base } from '../harness/story.ts';

const test = base.extend<{ phone: Phone }>({
  phone: async ({ browser, house }, use) => {
    const phone = await Phone.open(browser, house.phoneOrigin);
    await use(phone);
    await phone.close();
  },
});

test('the customer calls, both talk, the customer hangs up', async ({ phone, operator, cloud }) => {
  await phone.call(people.koshii);
  await operator.ringsFor('越井 琢巳', 'cm-koshii');
  await phone.is('呼び出しています');
  await operator.accept();
  await phone.talksWith(operator);
  // Browsers on both sides: what they say is passed on as it is.
  await expect.poll(async () => (await cloud.calls()).flatMap(({ legs }) => legs.map(({ codec }) => codec))).toEqual(['opus']);
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

test('a number is known however it was typed', async ({ phone, operator }) => {
  for (const typed of ['+44 7700 900101', '+44-(7700)-900.101', '＋４４　７７００－９００１０１']) {
    await phone.callFrom(typed);
    await operator.ringsFor('越井 琢巳', 'cm-koshii');
    await phone.press('切る');
    await operator.ended('gaveUp');
    await phone.press('戻る');
  }
});

test('what is no number is not called from, and the page says so as long as it matters', async ({ phone }) => {
  const radio = (name: string) => phone.page.getByRole('radio', { name });
  for (const [typed, sentence] of Object.entries({ '': '電話番号を入力', '090-1234-5678': '国番号から始まる', '+44 7700 90010x': '国番号から始まる' })) {
    await phone.callFrom(typed);
    await expect(phone.notice).toContainText(sentence);
    await expect(phone.page.getByRole('textbox')).toBeFocused();
    await radio('非通知').check();
    await expect(phone.notice).toBeHidden();
  }
});

test('a browser that cannot make calls says so', async ({ phone }) => {
  await phone.page.evaluate(() => Object.assign(globalThis, { RTCPeerConnection: undefined }));
  await phone.call(people.koshii);
  await expect(phone.notice).toContainText('このブラウザーでは電話をかけられません');
});

test('arrows pass by the number that could be typed', async ({ phone }) => {
  const radio = (name: string) => phone.page.getByRole('radio', { name });
  await radio('非通知').check();
  await phone.page.keyboard.press('ArrowDown');
  await expect(radio('ほかの番号')).toBeFocused();
  await phone.page.keyboard.press('Tab');
  await expect(phone.page.getByRole('textbox')).toBeFocused();
  await radio('非通知').check();
  await radio('ほかの番号').check();
  await expect(phone.page.getByRole('textbox')).toBeFocused();
});

test('who asks twice to call again calls once', async ({ phone, operator, house }) => {
  await phone.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await phone.press('切る');
  await operator.ended('gaveUp');
  const microphone = await opensLate(phone.page);
  const again = phone.page.getByRole('button', { name: 'もう一度かける' });
  await again.evaluate((button: HTMLElement) => {
    button.click();
    button.click();
  });
  await microphone.isAsked();
  await again.evaluate((button: HTMLElement) => button.click());
  await microphone.now();
  await operator.ringsFor('越井 琢巳');
  expect(await openedMicrophones(phone.page)).toBe(2);
  expect(await openMicrophones(phone.page)).toBe(1);
  expect(await house.cloud.calls()).toHaveLength(2);
});

test('who calls again and goes back meanwhile does not call', async ({ phone, operator, house }) => {
  await phone.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await phone.press('切る');
  await operator.ended('gaveUp');
  const microphone = await opensLate(phone.page);
  await phone.press('もう一度かける');
  await microphone.isAsked();
  await phone.press('戻る');
  await microphone.now();
  await expect.poll(() => openedMicrophones(phone.page)).toBe(2);
  await expect.poll(() => openMicrophones(phone.page)).toBe(0);
  await expect(phone.page.getByRole('heading', { name: 'お客様の電話' })).toBeVisible();
  expect(await house.cloud.calls()).toHaveLength(1);
});

test('who hangs up and calls again at once is in the new call', async ({ phone, operator, house }) => {
  await phone.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await phone.page.evaluate(() => {
    for (const id of ['hangup', 'again']) document.getElementById(id)?.click();
  });
  const legs = async () => (await house.cloud.calls()).map(({ status, legs }) => `${status}: ${legs.length}`);
  await expect.poll(legs).toEqual(['canceled: 1', expect.stringMatching(/: 1$/)]);
  await phone.is('呼び出しています');
  await phone.press('切る');
  await operator.ended('gaveUp');
});

test.describe('while the server is away', () => {
  test.use({ expected: COMPLAINTS });

  test('a call is cut off, and the next one can be dialled when the server is back', async ({ phone, operator, house }) => {
    await phone.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await operator.accept();
    await phone.talksWith(operator);
    await house.server.kill();
    await phone.is('通話が途中で切れました');
    await expect(phone.notice).toContainText('リハーサルとつながっていません');
    const again = phone.page.getByRole('button', { name: 'もう一度かける' });
    await expect(again).toBeDisabled();
    expect(await openMicrophones(phone.page)).toBe(0);
    await house.startServer();
    await expect(phone.notice).toBeHidden();
    // The operator is not back as soon as the phone is; the call is one all the same, and can be hung up.
    await again.click();
    await expect(again).toBeHidden();
    await phone.press('切る');
    await expect(phone.state).toHaveText(/発信をやめました|通話が終わりました/);
  });

  test('a call that was not answered could not be connected', async ({ phone, operator, house }) => {
    await phone.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await house.server.kill();
    await phone.is('つながりませんでした');
    await expect(phone.notice).toContainText('リハーサルとつながっていません');
    await phone.press('戻る');
    await expect(phone.notice).toContainText('リハーサルとつながっていません');
    await house.startServer();
    await expect(phone.page.getByRole('button', { name: '電話をかける' })).toBeEnabled();
  });
});

test.describe('with a recording that is not there', () => {
  test.use({ form: 'production', twiml: '<Response><Play loop="0">/gone.mp3</Play></Response>' });

  test('the customer is told once, and the call ends', async ({ phone }) => {
    await phone.call('登録のない番号');
    await phone.is('通話が終わりました');
    await expect(phone.announced).toHaveText(['録音を再生できませんでした']);
  });
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
