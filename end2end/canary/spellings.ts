// Every way in which a telephone number might be written: the needles of the search. `literal` finds them in any bytes, text or not;
// what is written in digits is found by `search.ts` in every grouping, so only what is not plain digits is spelled out here.
import type { Person } from '../harness/people.ts';

/** A spelling and its name, for the report. */
export interface Needle {
  person: Person;
  spelling: string;
  bytes: Buffer;
}

/** The digits that name the person however the number is written: without country code and trunk prefix. */
export function significant(person: Person): string {
  return person.number.slice(1 + person.countryDigits);
}

/** How people write the number. */
export function written(person: Person): Record<string, string> {
  const digits = person.number.slice(1);
  const country = digits.slice(0, person.countryDigits);
  const rest = significant(person);
  const national = person.trunk + rest;
  const groups = rest.length === 9 ? [3, 3, 3] : [3, 3, 4];
  return {
    'E.164': person.number,
    'without plus': digits,
    national,
    'significant digits': rest,
    '%2B': `%2B${digits}`,
    '%2b': `%2b${digits}`,
    '00': `00${digits}`,
    'international, spaced': `+${country} ${grouped(rest, groups, ' ')}`,
    'international, hyphenated': `+${country}-${grouped(rest, groups, '-')}`,
    'national, spaced': person.trunk + grouped(rest, groups, ' '),
    'national, hyphenated': person.trunk + grouped(rest, groups, '-'),
    'five and six': `${person.trunk}${rest.slice(0, 4)} ${rest.slice(4)}`,
    'in brackets': `(${person.trunk}${rest.slice(0, 3)}) ${rest.slice(3, 6)}-${rest.slice(6)}`,
    'trunk in brackets': `+${country} (${person.trunk}) ${grouped(rest, groups, ' ')}`,
    'with dots': `${country}.${grouped(rest, groups, '.')}`,
    'full-width': person.number.replace(/[+\d]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)),
    'a tel: link': `tel:${person.number}`,
    'digit by digit': [...digits].join(' '),
  };
}

/** Byte strings that give a number away wherever they stand. */
export function needles(person: Person): Needle[] {
  const found: Needle[] = [];
  const add = (spelling: string, bytes: Buffer): void => {
    found.push({ person, spelling, bytes });
  };
  const rest = significant(person);
  for (const [name, text] of Object.entries(written(person))) {
    const utf16 = Buffer.from(text, 'utf16le');
    add(name, Buffer.from(text));
    add(`${name}, UTF-16LE`, utf16);
    add(`${name}, UTF-16BE`, Buffer.from(utf16).swap16());
  }
  // In each of these the significant digits suffice: they are in every spelling.
  for (const [name, bytes] of [
    ['', Buffer.from(rest)],
    [' of UTF-16', Buffer.from(rest, 'utf16le')],
  ] as const) {
    for (let skipped = 0; skipped < 3; skipped += 1) {
      const core = base64Core(bytes, skipped);
      add(`base64${name}, alignment ${skipped}`, Buffer.from(core));
      add(`base64url${name}, alignment ${skipped}`, Buffer.from(core.replaceAll('+', '-').replaceAll('/', '_')));
    }
    const hex = bytes.toString('hex');
    add(`hex${name}`, Buffer.from(hex));
    add(`HEX${name}`, Buffer.from(hex.toUpperCase()));
  }
  add('every digit percent-encoded', Buffer.from([...rest].map((d) => `%3${d}`).join('')));
  add('\\u escapes', Buffer.from([...rest].map((d) => `\\u003${d}`).join('')));
  add('HTML entities', Buffer.from([...rest].map((d) => `&#${48 + Number(d)};`).join('')));
  add('backwards', Buffer.from([...rest].reverse().join('')));
  for (const digits of [person.number.slice(1), rest]) {
    const integer = Buffer.alloc(8);
    integer.writeBigUInt64LE(BigInt(digits));
    add('a 64-bit integer', Buffer.from(integer));
    add('a 64-bit integer, big-endian', Buffer.from(integer).swap64());
    integer.writeDoubleLE(Number(digits));
    add('a double', Buffer.from(integer));
  }
  return found;
}

/** The characters of base64 that depend on `bytes` alone when `skipped` unknown bytes of the group of three come before. */
function base64Core(bytes: Buffer, skipped: number): string {
  const encoded = Buffer.concat([Buffer.alloc(skipped), bytes]).toString('base64').replace(/=+$/, '');
  const before = skipped === 0 ? 0 : skipped + 1;
  const loose = (skipped + bytes.length) % 3 === 0 ? 0 : 1;
  return encoded.slice(before, encoded.length - loose);
}

function grouped(digits: string, sizes: number[], separator: string): string {
  let at = 0;
  return sizes.map((size) => digits.slice(at, (at += size))).join(separator);
}
