// What every story gets: a house of its own, and operators at consoles in which every byte is searched. At its end a story fails, whatever
// it checked itself, when a telephone number was seen, the page reported an error or a policy violation, or a program logged one.
import { type Browser, type BrowserContext, type BrowserContextOptions, test as base, expect } from '@playwright/test';
import { type Trouble, Watch } from '../canary/watch.ts';
import { launchOptions, twilioAt } from './chromium.ts';
import type { Cloud } from './cloud.ts';
import { Console } from './console.ts';
import { type Form, House } from './house.ts';
import { allow, plugs } from './microphone.ts';
import { overhear } from './sound.ts';

export { expect } from '@playwright/test';

/** What Chromium and the SDK say when something is refused, breaks or is cut. Both say it however well it is dealt with. */
export const COMPLAINTS = /^WebSocket connection to |^Failed to load resource|^\[TwilioVoice\]/;

interface Options {
  form: Form;
  /** Settings of the server, besides those of the form. */
  settings: Record<string, string>;
  /** TwiML that a webhook of the story answers, in place of our server's. */
  twiml: string | undefined;
  /** Errors that belong to the story, in the page's console or a program's log. */
  expected: RegExp;
  /** Whether the machine has a microphone, and whether the operator lets the page use it. */
  microphone: 'granted' | 'refused' | 'missing';
  /** Whether the browser has a back/forward cache, as every operator's has. */
  keepsPages: boolean;
}

export interface Sitting {
  identity?: string;
  /** In whose browser; by default in a new one. */
  beside?: Console;
  context?: BrowserContextOptions;
}

interface Fixtures {
  house: House;
  cloud: Cloud;
  watch: Watch;
  chrome: Browser;
  /** A new browser context, watched. */
  contextFor: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** Seats an operator at a console: the page is open and alive, the shift not begun. */
  seat: (sitting?: Sitting) => Promise<Console>;
  /** user001, on duty. */
  operator: Console;
}

export const test = base.extend<Options & Fixtures>({
  form: ['rehearsal', { option: true }],
  settings: [{}, { option: true }],
  twiml: [undefined, { option: true }],
  expected: [/(?!)/, { option: true }],
  microphone: ['granted', { option: true }],
  keepsPages: [false, { option: true }],

  house: async ({ form, settings, twiml, expected, watch }, use, info) => {
    const house = await House.build({ form, settings, twiml, search: (...found) => watch.search(...found) });
    await use(house);
    await house.pullDown();
    if (info.errors.length > 0) await info.attach('log', { body: house.log, contentType: 'text/plain' });
    const errors = house.log.split('\n').filter((line) => /\bERROR\b|panicked at/.test(line));
    expect(errors.filter((line) => !expected.test(line))).toEqual([]);
  },

  cloud: async ({ house }, use) => use(house.cloud),

  watch: [
    async ({ expected }, use, info) => {
      const watch = new Watch();
      await use(watch);
      const seen = JSON.stringify(watch.searched, null, 2);
      await info.attach('searched', { body: seen, contentType: 'application/json' });
      expect(watch.leaks, 'telephone numbers that were seen').toEqual([]);
      expect(watch.troubles.filter((trouble) => !isExpected(trouble, expected))).toEqual([]);
    },
    { auto: true },
  ],

  chrome: async ({ browser, house, microphone, keepsPages }, use) => {
    if (microphone !== 'missing' && !keepsPages && house.tlsPort === undefined) return use(browser);
    const args = house.tlsPort === undefined ? [] : twilioAt(house.tlsPort);
    const chromium = browser.browserType();
    const own = await chromium.launch(launchOptions({ microphone: microphone !== 'missing', keepsPages, args }));
    await use(own);
    await own.close();
  },

  contextFor: async ({ chrome, house, watch, microphone }, use, info) => {
    const contexts: BrowserContext[] = [];
    await use(async (options = {}) => {
      const context = await chrome.newContext({ locale: 'ja-JP', ...options });
      contexts.push(context);
      await watch.attach(context);
      await context.addInitScript(overhear);
      await context.addInitScript(plugs);
      await allow(context, house.origin, microphone !== 'refused');
      return context;
    });
    for (const page of contexts.flatMap((context) => context.pages())) {
      await watch.look(page);
      if (info.errors.length > 0) await info.attach('page', { body: await page.screenshot(), contentType: 'image/png' });
    }
    await watch.leave();
    for (const context of contexts) await context.close();
  },

  seat: async ({ contextFor, house, watch }, use) => {
    await use(async ({ identity = 'user001', beside, context } = {}) => {
      const where = beside?.page.context() ?? (await contextFor(context));
      const page = await where.newPage();
      return new Console(page, house.origin, identity, () => watch.look(page)).open();
    });
  },

  operator: async ({ seat }, use) => use(await (await seat()).startShift()),
});

function isExpected(trouble: Trouble, expected: RegExp): boolean {
  return (trouble.kind === 'console error' || trouble.kind === 'page error') && expected.test(trouble.text);
}
