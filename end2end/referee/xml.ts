// Just enough XML to compare TwiML: elements, attributes, text and the five entities. Anything else is refused.

export interface Element {
  name: string;
  attributes: Record<string, string>;
  /** Elements and texts, without the white space between elements. */
  children: (Element | string)[];
}

const NAMES = '[A-Za-z][\\w.-]*';
const TAG = new RegExp(`^<(${NAMES})((?:\\s+${NAMES}="[^"<]*")*)\\s*(/?)>`);
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The document's one element. */
export function parse(text: string): Element {
  const [element, rest] = one(text.replace(/^\s*<\?xml version="1\.0" encoding="UTF-8"\?>/i, '').trim());
  if (rest.trim()) throw new Error(`after the end: ${rest}`);
  return element;
}

function one(text: string): [Element, string] {
  const tag = text.match(TAG);
  if (!tag) throw new Error(`no element: ${text}`);
  const [opening, name = '', written = '', closed] = tag;
  const attributes = Object.fromEntries(
    [...written.matchAll(new RegExp(`(${NAMES})="([^"]*)"`, 'g'))].map(([, key = '', value = '']) => [key, unescape(value)]),
  );
  const element: Element = { name, attributes, children: [] };
  let rest = text.slice(opening.length);
  if (closed) return [element, rest];
  for (;;) {
    const [between = ''] = rest.match(/^[^<]*/) ?? [];
    if (between.trim()) element.children.push(unescape(between));
    rest = rest.slice(between.length);
    if (rest.startsWith(`</${name}>`)) return [element, rest.slice(name.length + 3)];
    const [child, after] = one(rest);
    element.children.push(child);
    rest = after;
  }
}

function unescape(text: string): string {
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w*));?/g, (all, hex?: string, decimal?: string, name?: string) => {
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    const character = ENTITIES[name ?? ''];
    if (character === undefined || !all.endsWith(';')) throw new Error(`no such entity: ${all}`);
    return character;
  });
}
