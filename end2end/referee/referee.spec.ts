// Twilio's own Node library judges what we make: tokens, signatures in both directions, TwiML. No browser takes part.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { test as base, expect } from '@playwright/test';
import twilio from 'twilio';
import { Watch } from '../canary/watch.ts';
import { type Account, House } from '../harness/house.ts';
import { COMPANY, type Person, people } from '../harness/people.ts';
import { SENTENCES, type Sentence } from '../harness/sentences.ts';
import { chance } from './chance.ts';
import { type Element, parse } from './xml.ts';

/** The library with which Twilio's own signs and reads tokens. */
interface JsonWebToken {
  verify: (token: string, secret: string, options: object) => { header: object; payload: Record<string, unknown> };
}
const require = createRequire(import.meta.url);
const jsonwebtoken = createRequire(require.resolve('twilio'))('jsonwebtoken') as JsonWebToken;
const { AccessToken } = twilio.jwt;
const { VoiceResponse } = twilio.twiml;

type Form = [key: string, value: string][];

const PUBLIC = 'https://calls.example.com';

interface Fixtures {
  settings: Record<string, string>;
  twiml: string | undefined;
  house: House;
  account: Account;
}

const test = base.extend<Fixtures>({
  settings: [{}, { option: true }],
  twiml: [undefined, { option: true }],
  house: async ({ settings, twiml }, use) => {
    const watch = new Watch();
    const house = await House.build({ form: 'production', settings, twiml, search: (...found) => watch.search(...found) });
    await use(house);
    await house.pullDown();
    expect(watch.leaks, 'telephone numbers that were seen').toEqual([]);
  },
  account: async ({ house }, use) => use(house.account!),
});

test.describe('tokens', () => {
  test.use({ settings: { TOKEN_TTL_SEC: '1234' } });

  for (const [identity, dialled] of [
    ['user001', 'user001'],
    ['op_7', 'op_7'],
    ['taro.yamada@example', 'taro_2Eyamada_40example'],
    ['a-b', 'a_2Db'],
  ] as const) {
    test(`${identity} gets the token that Twilio's library makes`, async ({ house, account }) => {
      const theirs = new AccessToken(account.accountSid, account.apiKeySid, account.apiKeySecret, { identity: dialled, ttl: 1234 });
      theirs.addGrant(new AccessToken.VoiceGrant({ incomingAllow: true }));
      const expected = decoded(theirs.toJwt(), account);
      const query = `${house.origin}/token?identity=${encodeURIComponent(identity)}`;
      const form = new URLSearchParams({ identity });
      for (const response of [await fetch(query), await fetch(`${house.origin}/token`, { method: 'POST', body: form })]) {
        expect(response.status).toBe(200);
        expect(response.headers.get('cache-control')).toContain('no-store');
        const body = (await response.json()) as { identity: string; token: string };
        expect(Object.keys(body).sort()).toEqual(['identity', 'token']);
        expect(body.identity).toBe(identity);
        const ours = decoded(body.token, account);
        expect(ours.header).toEqual(expected.header);
        expect(ours.claims).toEqual(expected.claims);
        expect(ours.lifetime).toBe(expected.lifetime);
        expect(Math.abs(ours.issued - Date.now() / 1000)).toBeLessThan(30);
      }
    });
  }
});

/** A verified token, without what is another each time. */
function decoded(token: string, account: Account): { header: object; claims: object; lifetime: number; issued: number } {
  const options = { algorithms: ['HS256'], issuer: account.apiKeySid, subject: account.accountSid, complete: true };
  const { header, payload } = jsonwebtoken.verify(token, account.apiKeySecret, options);
  const { iat, exp, jti, ...claims } = payload as { iat: number; exp: number; jti: string };
  expect(jti).toMatch(new RegExp(`^${account.apiKeySid}-.+`));
  return { header, claims, lifetime: exp - iat, issued: iat };
}

test.describe('signatures of requests to us', () => {
  test.use({ settings: { PUBLIC_BASE_URL: PUBLIC } });

  test('400 forms that Twilio would sign are accepted, and refused when anything is changed', async ({ house, account }) => {
    test.slow();
    const random = chance(20_261_122);
    for (let round = 0; round < 400; round += 1) {
      const form = generatedForm(random);
      const path = `/incoming${generatedQuery(random)}`;
      const signature = signed(account.authToken, PUBLIC + path, form);
      // Twilio's own library agrees that this is what it would have sent.
      expect(twilio.validateRequest(account.authToken, signature, PUBLIC + path, grouped(form))).toBe(true);
      expect(await posted(house, path, form, signature), `round ${round}: ${path}`).toBe(200);

      const [what, ...tampered] = tamper(random, path, form, signature, account.authToken);
      expect(await posted(house, ...tampered), `round ${round}: ${what}`).toBe(403);
    }
  });

  test('a port that is the scheme’s own may be written or not', async ({ house, account }) => {
    const form: Form = [['CallSid', 'CA1'], ['From', people.koshii.number]];
    for (const base of [PUBLIC, `${PUBLIC}:443`]) {
      expect(await posted(house, '/incoming', form, signed(account.authToken, `${base}/incoming`, form)), base).toBe(200);
    }
    for (const base of ['http://calls.example.com', `${PUBLIC}:8443`, 'https://evil.example.com', house.serverOrigin]) {
      expect(await posted(house, '/incoming', form, signed(account.authToken, `${base}/incoming`, form)), base).toBe(403);
    }
  });

  test('a request without a signature is refused', async ({ house }) => {
    expect(await posted(house, '/incoming', [['CallSid', 'CA1']], undefined)).toBe(403);
  });
});

function signed(authToken: string, url: string, form: Form): string {
  // What the library exports for webhooks that it sends to itself, and its types forget.
  const { getExpectedTwilioSignature } = require('twilio/lib/webhooks/webhooks') as {
    getExpectedTwilioSignature: (token: string, url: string, params: Record<string, string | string[]>) => string;
  };
  return getExpectedTwilioSignature(authToken, url, grouped(form));
}

function grouped(form: Form): Record<string, string | string[]> {
  const params: Record<string, string | string[]> = {};
  for (const [key, value] of form) {
    const before = params[key];
    params[key] = before === undefined ? value : [before, value].flat();
  }
  return params;
}

/** Posts to exactly this path: `fetch` would write some characters of a query in another way. */
async function posted(house: House, path: string, form: Form, signature: string | undefined): Promise<number> {
  const { hostname, port } = new URL(house.serverOrigin);
  const headers = {
    'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
    ...(signature === undefined ? {} : { 'x-twilio-signature': signature }),
  };
  const asked = request({ method: 'POST', hostname, port, path, headers });
  asked.end(new URLSearchParams(form).toString());
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const body = await text(response);
  if (response.statusCode === 200) expect(parse(body).name).toBe('Response');
  return response.statusCode ?? 0;
}

const VALUES = [
  '', ' ', '0', 'CA0123', '+447700900101', '+12025550143', 'anonymous', 'sip:a@b.example;x=1', 'client:op_7', 'a=b&c=d', '100%', '%2B', '+',
  '越井 琢巳', "O'Neil & Sons <K>", 'María José 🌸', 'é', 'e\u0301', 'line\r\nbreak', '\t', '"quoted"', '\\', '漢字カナ', '~!*()', 'z'.repeat(3000),
];
const KEYS = [
  'AccountSid', 'ApiVersion', 'CallSid', 'CallStatus', 'Called', 'Caller', 'Direction', 'From', 'FromCity', 'To', 'a', 'A', 'a.b', 'a-b', 'a[0]', 'ß', '名',
  'SpeechResult', 'StirVerstat', 'x y', '0', 'Z',
];

function generatedForm(random: () => number): Form {
  const size = Math.floor(random() * 12);
  const form: Form = Array.from({ length: size }, () => [pick(random, KEYS), pick(random, VALUES)]);
  // Some keys come again, with the same value or another.
  for (const [key, value] of [...form]) if (random() < 0.2) form.push([key, random() < 0.5 ? value : pick(random, VALUES)]);
  return form;
}

function generatedQuery(random: () => number): string {
  return pick(random, ['', '', '?', '?a=1', '?b=2&a=1&a=1', '?name=%E8%B6%8A%E4%BA%95', '?q=a+b', '?q=a%20b&e=', "?it's=o'neil", '?x=%2b%2B']);
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

/** One thing is changed, and what it was. */
function tamper(
  random: () => number,
  path: string,
  form: Form,
  signature: string,
  authToken: string,
): [what: string, path: string, form: Form, signature: string] {
  const changed = ((): Form => {
    if (form.length === 0) return [['From', '+1']];
    const at = Math.floor(random() * form.length);
    return form.map(([key, value], index) => [key, index === at ? `${value}x` : value]);
  })();
  const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
  return pick(random, [
    ['a value', path, changed, signature],
    ['one field more', path, [...form, ['Extra', 'x']], signature],
    ['the query', `${path}${path.includes('?') ? '&' : '?'}more=1`, form, signature],
    ['a letter of the signature', path, form, flipped],
    ['the signature is cut', path, form, signature.slice(0, -4)],
    ['the signature is empty', path, form, ''],
    ['another token', path, form, signed(`${authToken}x`, PUBLIC + path, form)],
  ]);
}

test.describe('signatures of the rehearsal', () => {
  test.use({ twiml: '<Response><Say language="ja-JP">はい</Say></Response>' });

  test("are what Twilio's library computes, for whoever calls", async ({ house, account }) => {
    for (const from of [people.koshii, people.maria, people.oneil, 'anonymous'] as const) await house.cloud.call(from);
    await expect.poll(() => house.webhooks.length).toBe(4);
    for (const { url, headers, form } of house.webhooks) {
      const signature = String(headers['x-twilio-signature']);
      expect(twilio.validateRequest(account.authToken, signature, url, form)).toBe(true);
      expect(twilio.validateRequest(account.authToken, signature, url, { ...form, From: '+1' })).toBe(false);
      expect(twilio.validateRequest(`${account.authToken}x`, signature, url, form)).toBe(false);
      expect(form).toMatchObject({ AccountSid: account.accountSid, To: COMPANY, CallStatus: 'ringing', Direction: 'inbound' });
      expect(form['CallSid']).toMatch(/^CA[0-9a-f]{32}$/);
    }
    expect(house.webhooks.map(({ form }) => form['From'])).toContain(people.koshii.number);
  });
});

test.describe('TwiML', () => {
  for (const person of Object.values<Person>(people)) {
    test(`for ${person.name || 'a stranger'} is what Twilio's library would make`, async ({ house, account }) => {
      const response = await incoming(house, account, person.number);
      if (person.operator) expect(response).toEqual(dialOf(person, person.operator, house.origin, refIn(response)));
      else says(response, 'unknown');
    });
  }

  test('for callers that are none, and after every end of a dial, is too', async ({ house, account }) => {
    for (const from of ['anonymous', '', 'sip:a@b.example', 'client:x', '+266696687', 'Restricted', '🌸', undefined]) {
      says(await incoming(house, account, from), 'withheld', String(from));
    }
    for (const [status, sentence] of Object.entries({
      completed: undefined,
      answered: undefined,
      canceled: undefined,
      busy: 'busy',
      'no-answer': 'noAnswer',
      failed: 'trouble',
      nonsense: 'trouble',
      '': 'trouble',
    } as const)) {
      const form: Form = [['CallSid', 'CA1'], ['From', people.koshii.number], ['DialCallStatus', status]];
      const response = parse(await twimlOf(house, account, '/dialed', form));
      if (sentence) says(response, sentence, status);
      else expect(response, status).toEqual(made((voice) => voice.hangup()));
    }
    const progress: Form = [['CallSid', 'CA1'], ['ParentCallSid', 'CA2'], ['CallStatus', 'ringing']];
    expect(parse(await twimlOf(house, account, '/status', progress))).toEqual(made(() => {}));
  });
});

/** The document that Twilio's library makes: its types judge every verb and attribute. */
function made(speak: (voice: InstanceType<typeof VoiceResponse>) => void): Element {
  const voice = new VoiceResponse();
  speak(voice);
  return parse(voice.toString());
}

function dialOf(person: Person, operator: string, origin: string, ref: string): Element {
  return made((voice) => {
    const dial = voice.dial({
      answerOnBridge: true,
      timeLimit: 3600,
      timeout: 20,
      callerId: `client:${ref}`,
      action: `${origin}/dialed`,
    });
    const client = dial.client({
      statusCallback: `${origin}/status`,
      statusCallbackEvent: ['ringing', 'answered', 'completed'],
    });
    client.identity(operator);
    client.parameter({ name: 'customerName', value: person.name });
    client.parameter({ name: 'customerId', value: person.customerId! });
    client.parameter({ name: 'callRef', value: ref });
  });
}

/** Our own name for the call, which is another each time. */
function refIn(response: Element): string {
  const [, ref = ''] = JSON.stringify(response).match(/"client:([0-9a-z]{16})"/) ?? [];
  expect(ref, JSON.stringify(response)).not.toBe('');
  return ref;
}

/** The caller hears this sentence, and the call is over. */
function says(response: Element, sentence: Sentence, when?: string): void {
  const [said] = (response.children[0] as Element).children;
  expect(said, when).toContain(SENTENCES[sentence]);
  const expected = made((voice) => {
    voice.say({ language: 'ja-JP', voice: 'Polly.Mizuki' }, String(said));
    voice.hangup();
  });
  expect(response, when).toEqual(expected);
}

async function incoming(house: House, account: Account, from: string | undefined): Promise<Element> {
  const form: Form = [['CallSid', 'CA1'], ['AccountSid', account.accountSid], ['To', COMPANY]];
  if (from !== undefined) form.push(['From', from]);
  return parse(await twimlOf(house, account, '/incoming', form));
}

async function twimlOf(house: House, account: Account, path: string, form: Form): Promise<string> {
  const response = await fetch(house.origin + path, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers: { 'x-twilio-signature': signed(account.authToken, house.origin + path, form) },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^(text|application)\/xml/);
  return response.text();
}
