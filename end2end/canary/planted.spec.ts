// Leaks on purpose: a page that gives a number away in each place, and the search that must find it there, and nowhere else.
// The WebSocket's frames, and what the server prints and writes, need a house: `stories/planted.spec.ts`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Page, expect, test as base } from '@playwright/test';
import { people } from '../harness/people.ts';
import { type Place, Watch } from './watch.ts';

const NUMBER = people.maria.number;

interface Server {
  /** What each path answers. */
  answers: Record<string, { body: string | Buffer; headers?: Record<string, string> }>;
  origin: string;
}

const test = base.extend<{ server: Server; watch: Watch; leaky: Page }>({
  server: async ({}, use) => {
    const answers: Server['answers'] = { '/': { body: '<!doctype html><title>leaky</title><p>nothing</p>' } };
    const server = createServer((request, response) => {
      request.resume();
      const { body = '', headers = {} } = answers[request.url?.split('?')[0] ?? ''] ?? {};
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(body);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    await use({ answers, origin: `http://localhost:${(server.address() as AddressInfo).port}` });
    server.closeAllConnections();
    server.close();
  },
  watch: async ({}, use) => use(new Watch()),
  leaky: async ({ browser, watch }, use) => {
    const context = await browser.newContext();
    await watch.attach(context);
    await use(await context.newPage());
    await context.close();
  },
});

/** The leak is found in this place, and in no other. */
async function found(watch: Watch, place: Place): Promise<void> {
  await watch.settled();
  await expect.poll(() => watch.leaks.map((leak) => leak.place)).toContain(place);
  expect(new Set(watch.leaks.map((leak) => leak.place))).toEqual(new Set([place]));
  expect(watch.leaks[0]?.whose).toBe(people.maria.name);
}

test('an innocent page has no leak', async ({ server, watch, leaky }) => {
  await leaky.goto(server.origin);
  await watch.look(leaky);
  await watch.settled();
  expect(watch.leaks).toEqual([]);
  expect(watch.troubles).toEqual([]);
});

test('in a response body', async ({ server, watch, leaky }) => {
  server.answers['/data'] = { body: JSON.stringify({ From: NUMBER }) };
  await leaky.goto(server.origin);
  await leaky.evaluate(() => fetch('/data').then((response) => response.text()));
  await found(watch, 'response body');
});

test('in a script that a worker loads', async ({ server, watch, leaky }) => {
  server.answers['/worker.js'] = { body: "fetch('/data').then(() => postMessage(1))", headers: { 'content-type': 'text/javascript' } };
  server.answers['/data'] = { body: Buffer.from(NUMBER, 'utf16le') };
  await leaky.goto(server.origin);
  await leaky.evaluate(() => new Promise((done) => (new Worker('/worker.js').onmessage = done)));
  await found(watch, 'response body');
});

test('in a .wasm', async ({ server, watch, leaky }) => {
  const section = Buffer.from([0, 14, 1, 0x61, ...Buffer.from(NUMBER)]);
  const body = Buffer.concat([Buffer.from('\0asm\x01\0\0\0'), section]);
  server.answers['/a.wasm'] = { body, headers: { 'content-type': 'application/wasm' } };
  await leaky.goto(server.origin);
  await leaky.evaluate(() => WebAssembly.instantiateStreaming(fetch('/a.wasm')).then(() => undefined));
  await found(watch, 'response body');
});

test('in a response header', async ({ server, watch, leaky }) => {
  server.answers['/']!.headers = { 'x-caller': encodeURIComponent(NUMBER) };
  await leaky.goto(server.origin);
  await found(watch, 'response header');
});

test('in a cookie that is gone at once', async ({ server, watch, leaky }) => {
  server.answers['/']!.headers = { 'set-cookie': `caller=${NUMBER}; Max-Age=0` };
  await leaky.goto(server.origin);
  await watch.look(leaky);
  await found(watch, 'response header');
});

test('in a cookie on its way back', async ({ server, watch, leaky }) => {
  await leaky.goto(server.origin);
  await leaky.evaluate((number) => {
    document.cookie = `caller=${number}`;
    return fetch('/').then((response) => response.text());
  }, NUMBER);
  await found(watch, 'request header');
});

test('a body that breaks off is one that nobody has read', async ({ server, watch, leaky }) => {
  server.answers['/data'] = { body: NUMBER.slice(0, 6), headers: { 'content-length': '12', connection: 'close' } };
  await leaky.goto(server.origin);
  await leaky.evaluate(() => fetch('/data').then((response) => response.text()).catch(() => ''));
  await expect.poll(() => watch.troubles.map(({ kind }) => kind)).toContain('unread');
});

test('in an address', async ({ server, watch, leaky }) => {
  await leaky.goto(server.origin);
  await leaky.evaluate((number) => fetch(`/?from=${encodeURIComponent(number)}`).then((response) => response.text()), NUMBER);
  await watch.settled();
  expect(watch.leaks.map((leak) => leak.place)).toContain('request line');
});

test('in a request header', async ({ server, watch, leaky }) => {
  await leaky.goto(server.origin);
  await leaky.evaluate((number) => fetch('/', { headers: { 'x-caller': btoa(number) } }).then((r) => r.text()), NUMBER);
  await found(watch, 'request header');
});

test('in a request body', async ({ server, watch, leaky }) => {
  await leaky.goto(server.origin);
  await leaky.evaluate((number) => fetch('/', { method: 'POST', body: new URLSearchParams({ number }) }).then((r) => r.text()), NUMBER);
  await found(watch, 'request body');
});

for (const [how, log] of Object.entries({
  text: (number: string) => console.info(`call from ${number}`),
  'an object': (number: string) => console.debug({ a: { b: { c: { d: { e: { From: number } } } } } }),
})) {
  test(`in a console line, as ${how}`, async ({ server, watch, leaky }) => {
    await leaky.goto(server.origin);
    await leaky.evaluate(log, NUMBER);
    await found(watch, 'console line');
  });
}

test('in the text of the document, for a moment', async ({ server, watch, leaky }) => {
  await leaky.goto(server.origin);
  await leaky.evaluate((number) => {
    document.querySelector('p')!.textContent = `電話 ${number.slice(3)}`;
    requestAnimationFrame(() => (document.querySelector('p')!.textContent = '越井'));
  }, NUMBER);
  await leaky.getByText('越井').waitFor();
  await found(watch, 'DOM');
});

test('in an attribute, for a moment', async ({ server, watch, leaky }) => {
  await leaky.goto(server.origin);
  await leaky.evaluate((number) => {
    document.querySelector('p')!.dataset['call'] = btoa(JSON.stringify({ From: number }));
    document.querySelector('p')!.dataset['call'] = '';
  }, NUMBER);
  await found(watch, 'DOM');
});

test('in the accessibility tree only', async ({ server, watch, leaky }) => {
  await leaky.goto(server.origin);
  await leaky.evaluate((number) => {
    const sheet = new CSSStyleSheet();
    sheet.insertRule(`p::before { content: "${number}" }`);
    document.adoptedStyleSheets = [sheet];
  }, NUMBER);
  await watch.look(leaky);
  await found(watch, 'accessibility tree');
});

for (const [place, keep] of Object.entries({
  cookie: (number: string): void => {
    document.cookie = `caller=${btoa(number)}`;
  },
  localStorage: (number: string) => localStorage.setItem('caller', number),
  sessionStorage: (number: string) => sessionStorage.setItem(number, 'caller'),
  'cache storage': async (number: string) => (await caches.open('calls')).put('/call', new Response(number)),
  IndexedDB: (number: string) =>
    new Promise<void>((done) => {
      const opening = indexedDB.open('calls');
      opening.onupgradeneeded = () => void opening.result.createObjectStore('calls').add({ From: number }, 1);
      opening.onsuccess = () => done();
    }),
})) {
  test(`in ${place}`, async ({ server, watch, leaky }) => {
    await leaky.goto(server.origin);
    await leaky.evaluate(keep, NUMBER);
    await watch.look(leaky);
    await found(watch, place as Place);
  });
}

test('in a download', async ({ server, watch, leaky }) => {
  await leaky.goto(server.origin);
  const download = leaky.waitForEvent('download');
  await leaky.evaluate((number) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([`name,number\nMaría,${number.replace(/(...)/g, '$1 ')}`]));
    link.download = 'calls.csv';
    link.click();
  }, NUMBER);
  await download;
  await found(watch, 'download');
});
