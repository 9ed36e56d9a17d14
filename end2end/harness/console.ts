// The operator's console, in the operator's words. Whatever is asked for is waited for.
import { type Locator, type Page, expect } from '@playwright/test';
import type { Caller } from './cloud.ts';
import { hearEachOther, hearsTone } from './sound.ts';

/** What the console says, by language. */
export const WORDS = {
  ja: {
    available: '着信できます',
    offDuty: '勤務外',
    attention: '確認が必要です',
    starting: '準備中',
    lineDown: '回線切断',
    lineDoubtful: '回線を確認中',
    ringing: '着信中',
    connecting: '接続中',
    connected: '通話中',
    silent: '音声が届いていません',
    reconnecting: '再接続中',
    start: '勤務を始める',
    again: 'もう一度始める',
    end: '勤務を終える',
    incoming: '着信',
    second: '別の着信',
    unknown: '未登録の発信者',
    accept: '応答',
    acceptInstead: '終了して応答',
    reject: '拒否',
    mute: 'ミュート',
    hangUp: '電話を切る',
    eventLog: '記録',
    lastCall: '直前の通話',
    hungUp: '電話を切りました',
    callerHungUp: '相手が電話を切りました',
    rejected: '着信を拒否しました',
    gaveUp: '応答前に呼び出しが終わりました',
    elsewhere: '別の画面で応答されました',
    lost: '回線が切れて通話が終わりました',
    ringLost: '呼び出し中に回線が切れました',
    failed: 'エラーで通話が終わりました',
  },
  en: {
    available: 'Available',
    offDuty: 'Off duty',
    attention: 'Needs attention',
    starting: 'Getting ready',
    lineDown: 'Line down',
    lineDoubtful: 'Checking the line',
    ringing: 'Ringing',
    connecting: 'Connecting',
    connected: 'Connected',
    silent: 'No sound',
    reconnecting: 'Reconnecting',
    start: 'Start shift',
    again: 'Try again',
    end: 'End shift',
    incoming: 'Incoming call',
    second: 'Another call',
    unknown: 'Unknown caller',
    accept: 'Accept',
    acceptInstead: 'End & accept',
    reject: 'Reject',
    mute: 'Mute',
    hangUp: 'Hang up',
    eventLog: 'Event log',
    lastCall: 'Last call',
    hungUp: 'You hung up',
    callerHungUp: 'The caller hung up',
    rejected: 'You rejected the call',
    gaveUp: 'It stopped ringing before it was answered',
    elsewhere: 'Answered on another screen',
    lost: 'The call was lost with the line',
    ringLost: 'The line went down while the call was ringing',
    failed: 'The call ended with an error',
  },
} as const;

export type Language = keyof typeof WORDS;
type Word = keyof (typeof WORDS)['ja'];

export class Console {
  readonly page: Page;
  readonly identity: string;
  /** The language in which it is read. */
  language: Language = 'ja';
  readonly #origin: string;
  readonly #look: () => Promise<void>;

  /** `look` is called whenever the page shows somebody. */
  constructor(page: Page, origin: string, identity: string, look: () => Promise<void> = async () => {}) {
    this.page = page;
    this.identity = identity;
    this.#origin = origin;
    this.#look = look;
  }

  word(word: Word): string {
    return WORDS[this.language][word];
  }

  /** Opens the page and waits until it is alive. */
  async open(): Promise<this> {
    await this.page.goto(`${this.#origin}/?identity=${this.identity}`);
    await this.alive();
    return this;
  }

  /** Waits until the WASM has taken over: until the buttons listen. */
  async alive(): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    const button = `document.querySelector('main button')`;
    await expect(async () => {
      const { result } = await session.send('Runtime.evaluate', { expression: button });
      expect(result.objectId).toBeDefined();
      const { listeners } = await session.send('DOMDebugger.getEventListeners', { objectId: result.objectId ?? '' });
      expect(listeners.map(({ type }) => type)).toContain('click');
    }).toPass({ timeout: 15_000, intervals: [50] });
    await session.detach();
  }

  async startShift(): Promise<this> {
    await this.button('start').click();
    await this.is('available');
    return this;
  }

  /** Waits until the SDK has its fifteen sounds: one that breaks off on the way is the SDK's to complain about. */
  async hasSounds(): Promise<void> {
    const loaded = (): Promise<number> =>
      this.page.evaluate(() => {
        const entries = performance.getEntriesByType('resource');
        return new Set(entries.map(({ name }) => name).filter((name) => new URL(name).pathname.startsWith('/sounds/'))).size;
      });
    await expect.poll(loaded).toBe(15);
  }

  async endShift(): Promise<void> {
    await this.button('end').click();
    await this.is('offDuty');
  }

  /** The state in one word, in the bar. */
  get status(): Locator {
    return this.page.getByRole('banner').getByRole('status');
  }

  async is(word: Word): Promise<void> {
    await expect(this.status).toHaveText(this.word(word));
  }

  button(word: Word): Locator {
    return this.page.getByRole('button', { name: this.word(word), exact: true });
  }

  /** The calls that ring; the name in them is who calls. */
  get rings(): Locator {
    return this.page.locator('.ring');
  }

  ringOf(name: string): Locator {
    return this.rings.filter({ has: this.page.getByRole('heading', { name, exact: true }) });
  }

  /** Waits until this person's call rings. */
  async ringsFor(name: string, customerId?: string): Promise<void> {
    await expect(this.ringOf(name)).toBeVisible();
    if (customerId) await expect(this.ringOf(name)).toContainText(customerId);
    await this.#look();
  }

  /** The call that was accepted. */
  get talk(): Locator {
    return this.page.getByRole('region').filter({ has: this.button('hangUp') });
  }

  /** Waits until the microphone is muted, or is not. */
  async isMuted(muted: boolean): Promise<void> {
    await expect(this.button('mute')).toHaveAttribute('aria-pressed', String(muted));
  }

  async accept(): Promise<void> {
    await this.button('accept').click();
    await this.is('connected');
    await this.#look();
  }

  /** Both hear each other; `hz` is what the customer hums. */
  async talksWith(caller: Caller, hz = 440): Promise<void> {
    await hearEachOther(this.page, caller, hz);
  }

  /** For when the customer is not to hear anything. */
  async hears(hz: number): Promise<void> {
    await hearsTone(this.page, hz);
  }

  /** Waits until the last call ended so, and another would ring. */
  async ended(word: Word): Promise<void> {
    await this.is('available');
    await expect(this.lastCall).toContainText(this.word(word));
  }

  get lastCall(): Locator {
    return this.page.locator('section').filter({
      has: this.page.getByRole('heading', { level: 2, name: this.word('lastCall') }),
    }).last();
  }

  get eventLog(): Locator {
    return this.page.getByRole('complementary', { name: this.word('eventLog') });
  }
}

/** The address of the WASM's JavaScript glue. */
export async function glueOf(page: Page): Promise<string> {
  return JSON.parse((await page.locator('#setup').textContent()) ?? '').assets.glue;
}
