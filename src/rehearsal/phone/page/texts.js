// The page's sentences, in both languages. Every key is in both.

const ja = {
  documentTitle: 'お客様の電話 · リハーサル',
  badge: 'リハーサル',
  switchTo: 'English',
  title: 'お客様の電話',
  lead: 'お客様の役で、会社に電話をかけます。',
  promise: 'ここはお客様の側です。ここに出ている電話番号が、担当者の画面に渡ることはありません。',
  who: 'だれとして電話しますか',
  unknown: '登録のない番号',
  withheld: '非通知',
  withheldNote: '番号を通知せずにかけます',
  other: 'ほかの番号',
  otherNote: '番号を入力してかけます',
  otherLabel: '電話番号',
  to: '発信先',
  dial: '電話をかける',
  without: 'マイクなしでかける',
  as: '発信者:',
  callee: '会社の代表番号',
  heard: '聞こえた案内',
  keypad: 'キーパッド',
  mute: 'ミュート',
  hangup: '切る',
  back: '戻る',
  again: 'もう一度かける',
  dialling: '発信しています',
  waiting: '接続しています',
  ringing: '呼び出しています',
  machine: '案内が流れています',
  talking: '通話中',
  reconnecting: '音声をつなぎ直しています',
  completed: '通話が終わりました',
  busy: 'お話し中でした',
  'no-answer': '応答がありませんでした',
  failed: 'つながりませんでした',
  canceled: '発信をやめました',
  cut: '通話が途中で切れました',
  played: '録音が流れました',
  unplayable: '録音を再生できませんでした',
  tones: (digits) => `プッシュ音が流れました: ${digits}`,
  pressed: (digits) => `相手がキーを押しました: ${digits}`,
  offline: 'リハーサルとつながっていません。サーバーが動いているか確かめてください。自動でつなぎ直します。',
  refused: 'このブラウザーの音声を受け付けられませんでした。ページを読み込み直してください。',
  unsupported: 'このブラウザーでは電話をかけられません。ほかのブラウザーで開いてください。',
  microphoneDenied: 'マイクの使用が許可されていません。アドレスバーの錠前のアイコンから許可すると話せます。',
  microphoneMissing: 'マイクが見つかりません。接続すると話せます。',
  numberMissing: '電話番号を入力してください。',
  numberUnfit: '国番号から始まる電話番号を入力してください。例: +81 90 1234 5678',
};

const en = {
  documentTitle: 'Customer’s phone · Rehearsal',
  badge: 'Rehearsal',
  switchTo: '日本語',
  title: 'Customer’s phone',
  lead: 'Play the customer and call the company.',
  promise: 'This is the customer’s side. The numbers shown here never reach the operator’s screen.',
  who: 'Who is calling?',
  unknown: 'A number nobody knows',
  withheld: 'Number withheld',
  withheldNote: 'Calls without giving a number',
  other: 'Another number',
  otherNote: 'Type the number to call from',
  otherLabel: 'Telephone number',
  to: 'To',
  dial: 'Call',
  without: 'Call without a microphone',
  as: 'Calling as',
  callee: 'The company’s number',
  heard: 'What was announced',
  keypad: 'Keypad',
  mute: 'Mute',
  hangup: 'Hang up',
  back: 'Back',
  again: 'Call again',
  dialling: 'Dialling',
  waiting: 'Connecting',
  ringing: 'Ringing',
  machine: 'Listening to an announcement',
  talking: 'Talking',
  reconnecting: 'Reconnecting the sound',
  completed: 'The call has ended',
  busy: 'The line was busy',
  'no-answer': 'Nobody answered',
  failed: 'The call could not be connected',
  canceled: 'You cancelled the call',
  cut: 'The call was cut off',
  played: 'A recording was played',
  unplayable: 'A recording could not be played',
  tones: (digits) => `Tones were played: ${digits}`,
  pressed: (digits) => `The other side pressed ${digits}`,
  offline: 'Not connected to the rehearsal. Check that the server is running; this page reconnects by itself.',
  refused: 'This browser’s audio could not be accepted. Please reload the page.',
  unsupported: 'This browser cannot make calls. Please open this page in another one.',
  microphoneDenied: 'The microphone is not allowed. Allow it at the padlock in the address bar to be able to speak.',
  microphoneMissing: 'No microphone was found. Connect one to be able to speak.',
  numberMissing: 'Please type a telephone number.',
  numberUnfit: 'Please type the number with its country code, for example +81 90 1234 5678.',
};

const languages = { ja, en };
const KEY = 'language';

const kept = localStorage.getItem(KEY);
let language = kept in languages ? kept : navigator.language.startsWith('ja') || !navigator.language.startsWith('en') ? 'ja' : 'en';

/** The sentence, in the language of the moment. */
export function text(key, ...values) {
  const found = languages[language][key];
  return typeof found === 'function' ? found(...values) : found;
}

/** The other language from now on. */
export function switchLanguage() {
  language = language === 'ja' ? 'en' : 'ja';
  localStorage.setItem(KEY, language);
}

/** Writes every sentence that the page's markup names. */
export function translate() {
  document.documentElement.lang = language;
  document.title = text('documentTitle');
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = text(element.dataset.text);
  for (const element of document.querySelectorAll('[data-label]')) element.setAttribute('aria-label', text(element.dataset.label));
  const other = document.getElementById('language');
  other.textContent = text('switchTo');
  other.lang = language === 'ja' ? 'en' : 'ja';
}
