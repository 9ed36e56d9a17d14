// Searches bytes for telephone numbers, as they are and through every layer of encoding that can be taken off. A number is
// its significant digits in any grouping; an encoding is taken off at most `DEPTH` times.
import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { type Person, people } from '../harness/people.ts';
import { type Needle, needles, significant } from './spellings.ts';

export interface Finding {
  person: Person;
  /** How it was written. */
  spelling: string;
  /** The surroundings. */
  excerpt: string;
}

const DEPTH = 4;
const EVERYBODY: Person[] = Object.values(people);
const NEEDLES: Needle[] = EVERYBODY.flatMap(needles);
const BASE64 = /[A-Za-z0-9+/_-]{12,}/g;
const HEX = /(?:[0-9a-fA-F]{2}){7,}/g;
// Digits in any grouping: up to three separators between two of them.
const DIGITS = /[0-9０-９](?:[\s\-.,/()‐-―+＋\u00a0\u200b]{0,3}[0-9０-９]){8,}/g;
const clean = new Set<string>();

/** The numbers in `data`, each spelling once. */
export function search(data: Buffer | string): Finding[] {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  const key = createHash('sha256').update(bytes).digest('base64');
  // The same WASM and the same script reach every story's browser.
  if (clean.has(key)) return [];
  const found = new Map<string, Finding>();
  literal(bytes, found);
  peel(bytes.toString('utf8'), '', DEPTH, found);
  peelCompressed(bytes, found);
  if (found.size === 0) clean.add(key);
  return [...found.values()];
}

function literal(bytes: Buffer, found: Map<string, Finding>): void {
  for (const needle of NEEDLES) {
    const at = bytes.indexOf(needle.bytes);
    if (at >= 0) note(found, needle.person, needle.spelling, bytes.toString('latin1'), at);
  }
}

/** Looks at the text, and at what it becomes when an encoding is taken off. */
function peel(text: string, path: string, depth: number, found: Map<string, Finding>): void {
  grouped(text, path, found);
  if (depth === 0) return;
  const under = (name: string): string => (path ? `${path} > ${name}` : name);
  for (const [name, decode] of Object.entries(WHOLE)) {
    const decoded = decode(text);
    if (decoded !== text) peel(decoded, under(name), depth - 1, found);
  }
  // Encoded parts are looked at together: a JWT has three of them, and a script has thousands of words that look like one.
  peelParts(text, BASE64, (part) => Buffer.from(part, 'base64'), under('base64'), depth, found);
  peelParts(text, HEX, (part) => Buffer.from(part, 'hex'), under('hex'), depth, found);
}

function peelParts(
  text: string,
  pattern: RegExp,
  decode: (part: string) => Buffer,
  path: string,
  depth: number,
  found: Map<string, Finding>,
): void {
  const readable: string[] = [];
  for (const [part] of text.matchAll(pattern)) {
    const decoded = decode(part);
    // UTF-16 without its zeros is readable as it is; only full-width digits need the whole of it.
    const texts = [decoded.toString('utf8').replaceAll('\0', '')];
    if (decoded.includes(0xff)) texts.push(decoded.toString('utf16le'));
    readable.push(...texts.filter((text) => /[0-9０-９](?:.{0,3}[0-9０-９]){3}|[%&\\].{2}|[A-Za-z0-9+/_-]{12}/.test(text)));
  }
  if (readable.length > 0) peel(readable.join('\n\n\n\n'), path, depth - 1, found);
}

function peelCompressed(bytes: Buffer, found: Map<string, Finding>): void {
  for (const decompress of [gunzipSync, inflateSync, brotliDecompressSync]) {
    try {
      peel(decompress(bytes, { maxOutputLength: 1 << 26 }).toString('utf8'), 'compressed', DEPTH - 1, found);
    } catch {
      // Not compressed this way.
    }
  }
}

const WHOLE: Record<string, (text: string) => string> = {
  percent: (text) =>
    text.includes('%')
      ? text.replace(/(?:%[0-9a-fA-F]{2})+/g, (all) => Buffer.from(all.replaceAll('%', ''), 'hex').toString('utf8'))
      : text,
  escapes: (text) =>
    text.includes('\\')
      ? text
          .replace(/\\u\{?([0-9a-fA-F]{1,6})\}?/g, (all, hex: string) => codePoint(parseInt(hex, 16), all))
          .replace(/\\x([0-9a-fA-F]{2})/g, (all, hex: string) => codePoint(parseInt(hex, 16), all))
      : text,
  entities: (text) =>
    text.includes('&#')
      ? text
          .replace(/&#x([0-9a-fA-F]{1,6});/g, (all, hex: string) => codePoint(parseInt(hex, 16), all))
          .replace(/&#(\d{1,7});/g, (all, decimal: string) => codePoint(Number(decimal), all))
      : text,
};

function codePoint(code: number, otherwise: string): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : otherwise;
}

function grouped(text: string, path: string, found: Map<string, Finding>): void {
  for (const match of text.matchAll(DIGITS)) {
    const digits = [...match[0].normalize('NFKC')].filter((c) => c >= '0' && c <= '9').join('');
    for (const person of EVERYBODY) {
      if (digits.includes(significant(person))) {
        note(found, person, path ? `digits in ${path}` : 'digits', text, match.index);
      }
    }
  }
}

function note(found: Map<string, Finding>, person: Person, spelling: string, text: string, at: number): void {
  const key = `${person.number} ${spelling}`;
  if (!found.has(key)) {
    found.set(key, { person, spelling, excerpt: text.slice(Math.max(0, at - 60), at + 60) });
  }
}
