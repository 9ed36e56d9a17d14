// The customer's phone in a browser of its own, which no search watches: there the number belongs.
import { type Browser, type Locator, type Page, expect } from '@playwright/test';
import type { Console } from './console.ts';
import { allow } from './microphone.ts';
import type { Person } from './people.ts';
import { hearsSomething, overhear } from './sound.ts';

export class Phone {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(browser: Browser, origin: string): Promise<Phone> {
    const context = await browser.newContext({ locale: 'ja-JP' });
    await context.addInitScript(overhear);
    await allow(context, origin, true);
    const page = await context.newPage();
    await page.goto(origin);
    return new Phone(page);
  }

  /** Calls the company as this person; `who` is what the phone calls them. */
  async call(who: Person | string): Promise<void> {
    const name = typeof who === 'string' ? who : who.name;
    await this.page.getByRole('radio', { name }).check();
    await this.page.getByRole('button', { name: '電話をかける' }).click();
  }

  /** Calls from a number that somebody types. */
  async callFrom(typed: string): Promise<void> {
    await this.page.getByRole('radio', { name: 'ほかの番号' }).check();
    await this.page.getByRole('textbox', { name: '電話番号' }).fill(typed);
    await this.page.getByRole('button', { name: '電話をかける' }).click();
  }

  /** What is wrong. */
  get notice(): Locator {
    return this.page.getByRole('alert');
  }

  /** How far the call is. */
  get state(): Locator {
    return this.page.getByRole('status');
  }

  async is(state: string): Promise<void> {
    await expect(this.state).toHaveText(state);
  }

  /** Both hear each other's microphone. */
  async talksWith(operator: Console): Promise<void> {
    await this.is('通話中');
    await hearsSomething(operator.page);
    await hearsSomething(this.page);
  }

  /** What was announced to the customer. */
  get announced(): Locator {
    return this.page.getByRole('list', { name: '聞こえた案内' }).getByRole('listitem');
  }

  async press(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}
