// What the release serves: files that browsers keep for good, under names that never mean other bytes, compressed beforehand; and the page,
// which says what they are called and is asked for each time.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, get } from 'node:http';
import { resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect, test } from '../harness/story.ts';

const SDK = resolve(import.meta.dirname, '../node_modules/@twilio/voice-sdk/dist/twilio.min.js');
const FOR_GOOD = 'public, max-age=31536000, immutable';

const FILES = {
  wasm: { name: /^\/pkg\/hitoku\.([0-9a-f]{16})\.wasm$/, type: 'application/wasm' },
  glue: { name: /^\/pkg\/hitoku\.([0-9a-f]{16})\.js$/, type: 'text/javascript; charset=utf-8' },
  css: { name: /^\/pkg\/hitoku\.([0-9a-f]{16})\.css$/, type: 'text/css; charset=utf-8' },
  SDK: { name: /^\/sdk\/twilio\.min\.([0-9a-f]{16})\.js$/, type: 'text/javascript; charset=utf-8' },
};

test.use({ form: 'production' });

interface Answer {
  status: number | undefined;
  headers: IncomingHttpHeaders;
  /** As it travelled. */
  body: Buffer;
}

async function ask(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const [response] = (await once(get(url, { headers }), 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

test('what the page is made of is kept for good, and travels compressed', async ({ operator, house }) => {
  const resources = (): Promise<string[]> =>
    operator.page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname));
  // The SDK loads its sounds beside everything else, and an operator may be available before the last one is there.
  const sounds = async (): Promise<Set<string>> => new Set((await resources()).filter((path) => path.startsWith('/sounds/')));
  await expect.poll(async () => (await sounds()).size).toBe(15);
  const loaded = await resources();
  for (const [kind, { name, type }] of Object.entries(FILES)) {
    const [path = '', ...others] = new Set(loaded.filter((path) => name.test(path)));
    expect(others, `${kind} under other names`).toEqual([]);
    expect(path, kind).not.toBe('');
    const url = house.origin + path;

    const plain = await ask(url);
    expect(plain.status, path).toBe(200);
    expect(plain.headers['content-type'], path).toBe(type);
    expect(plain.headers['content-encoding'], path).toBeUndefined();
    expect(plain.headers['cache-control'], path).toBe(FOR_GOOD);
    expect(createHash('sha256').update(plain.body).digest('hex'), path).toContain(name.exec(path)?.[1]);

    for (const [accepted, encoding, decompress] of [
      ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
      ['gzip', 'gzip', gunzipSync],
    ] as const) {
      const packed = await ask(url, { 'accept-encoding': accepted });
      expect(packed.headers['content-encoding'], path).toBe(encoding);
      expect(packed.headers['cache-control'], path).toBe(FOR_GOOD);
      expect(packed.headers['vary'], path).toContain('accept-encoding');
      expect(packed.body.length, `${path}, ${encoding}`).toBeLessThan(plain.body.length / 2);
      expect(decompress(packed.body).equals(plain.body), `${path}, ${encoding}`).toBe(true);
    }
    const again = await ask(url, { 'if-none-match': plain.headers.etag ?? '' });
    expect([again.status, again.body.length], path).toEqual([304, 0]);
    if (kind === 'SDK') expect(plain.body.equals(readFileSync(SDK)), "Twilio's own file").toBe(true);
  }
  for (const path of await sounds()) expect((await ask(house.origin + path)).headers['cache-control'], path).toBe(FOR_GOOD);
});

test('the page is asked for each time, and so is whatever has a name without a hash', async ({ house }) => {
  const page = await ask(house.origin);
  expect(page.headers['cache-control']).toBe('no-store');
  expect(page.body.toString()).toMatch(/"\/pkg\/hitoku\.[0-9a-f]{16}\.css"/);
  for (const path of ['/pkg/hitoku.wasm', '/pkg/hitoku.js', '/pkg/hitoku.css', '/sdk/twilio.min.js', '/icon.svg']) {
    const answer = await ask(house.origin + path);
    expect([answer.status, answer.headers['cache-control']], path).toEqual([200, 'no-cache']);
  }
  const old = await ask(`${house.origin}/pkg/hitoku.0123456789abcdef.wasm`);
  expect(old.status).toBe(404);
  expect(old.headers['cache-control'] ?? '').not.toContain('immutable');
});
