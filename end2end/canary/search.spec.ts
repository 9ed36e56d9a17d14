// The search finds what it must find, and nothing in what is innocent.
import { randomBytes } from 'node:crypto';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import twilio from 'twilio';
import { people } from '../harness/people.ts';
import { search } from './search.ts';
import { written } from './spellings.ts';

const disguises: Record<string, (text: string) => Buffer | string> = {
  plain: (text) => text,
  'UTF-16LE': (text) => Buffer.from(text, 'utf16le'),
  'UTF-16BE': (text) => Buffer.from(text, 'utf16le').swap16(),
  'URL-encoded': (text) => encodeURIComponent(text),
  'URL-encoded twice': (text) => encodeURIComponent(encodeURIComponent(text)),
  'percent, every byte': (text) => Buffer.from(text).toString('hex').replace(/../g, '%$&'),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64, second alignment': (text) => Buffer.from(`?${text}?`).toString('base64'),
  'base64, third alignment': (text) => Buffer.from(`??${text}??`).toString('base64'),
  base64url: (text) => Buffer.from(`??>${text}`).toString('base64url'),
  'base64 of base64': (text) => Buffer.from(Buffer.from(`{"a":"${text}"}`).toString('base64')).toString('base64'),
  'base64 of UTF-16': (text) => Buffer.from(`x${text}`, 'utf16le').toString('base64'),
  "the SDK's connect token": (text) => Buffer.from(encodeURIComponent(JSON.stringify({ From: text }))).toString('base64'),
  hex: (text) => Buffer.from(text).toString('hex'),
  HEX: (text) => Buffer.from(text).toString('hex').toUpperCase(),
  JSON: (text) => JSON.stringify({ a: [text] }),
  'JSON escapes': (text) => [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  'JavaScript escapes': (text) => [...text].map((c) => `\\u{${c.codePointAt(0)?.toString(16)}}`).join(''),
  'HTML entities': (text) => [...text].map((c) => `&#${c.codePointAt(0)};`).join(''),
  'hexadecimal HTML entities': (text) => [...text].map((c) => `&#x${c.codePointAt(0)?.toString(16)};`).join(''),
  'in a JWT': (text) => {
    const token = new twilio.jwt.AccessToken('AC1', 'SK1', 'secret', { identity: text });
    return token.toJwt();
  },
  gzip: (text) => gzipSync(text),
  brotli: (text) => brotliCompressSync(text),
  'amid binary': (text) => Buffer.concat([Buffer.from([0, 255, 128]), Buffer.from(text), Buffer.from([0, 254])]),
};

for (const [key, person] of Object.entries(people)) {
  test(`every spelling of ${key}'s number is found in every disguise`, () => {
    for (const [name, text] of Object.entries(written(person))) {
      for (const [disguise, wear] of Object.entries(disguises)) {
        const found = search(wear(text)).map((finding) => finding.person.number);
        expect.soft(found, `${name}, ${disguise}`).toContain(person.number);
      }
    }
  });
}

test('a number is found as the integer that it is', () => {
  const integer = Buffer.alloc(24, 7);
  integer.writeBigUInt64LE(BigInt(people.sato.number), 9);
  expect(search(integer).map((finding) => finding.person)).toContain(people.sato);
});

test('what holds no number is innocent', () => {
  expect(search('+15005550006 and 2026-11-22T18:05:00.123Z, CA0123456789abcdef')).toEqual([]);
  expect(search(Buffer.concat([randomBytes(200_000)]))).toEqual([]);
  expect(search(randomBytes(100_000).toString('base64'))).toEqual([]);
  // Another number of the same range.
  expect(search('+447700900777 +12025550999')).toEqual([]);
});
