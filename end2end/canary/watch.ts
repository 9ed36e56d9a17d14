// Watches a browser context and searches for telephone numbers in everything that reaches it or is kept in it. A body that could
// not be read counts as a finding: what nobody searched proves nothing.
import { readFile } from 'node:fs/promises';
import type { BrowserContext, ConsoleMessage, Page, Request, Response, WebSocket } from '@playwright/test';
import { type Finding, search } from './search.ts';

/** Where the search looks. */
export const PLACES = [
  'request line',
  'request header',
  'request body',
  'response header',
  'response body',
  'WebSocket frame',
  'console line',
  'DOM',
  'accessibility tree',
  'cookie',
  'localStorage',
  'sessionStorage',
  'IndexedDB',
  'cache storage',
  'download',
  'memory',
  "server's log",
  "server's file",
] as const;

export type Place = (typeof PLACES)[number];

export interface Leak extends Omit<Finding, 'person'> {
  place: Place;
  /** Which request, frame or key. */
  what: string;
  /** Whose number, by name: the report shall not be a leak of its own. */
  whose: string;
}

/** Something that went wrong in the page. */
export interface Trouble {
  kind: 'console error' | 'page error' | 'policy violation' | 'unread';
  text: string;
}

export class Watch {
  readonly leaks: Leak[] = [];
  readonly troubles: Trouble[] = [];
  /** How many things were searched in each place. */
  readonly searched = Object.fromEntries(PLACES.map((place) => [place, 0])) as Record<Place, number>;
  readonly #pending = new Set<Promise<void>>();
  #left = false;

  /** Watches everything in the context from now on; its first page must not be open yet. */
  async attach(context: BrowserContext): Promise<void> {
    await context.exposeBinding('reportDom', (_, strings: string[]) => {
      this.search('DOM', 'a change', strings.join('\n'));
    });
    await context.exposeBinding('reportViolation', (_, text: string) => {
      this.troubles.push({ kind: 'policy violation', text });
    });
    await context.addInitScript(observe);
    context.on('request', (request) => this.#request(request));
    // Only at its end is it known what the browser itself has added to a request: its cookies.
    context.on('requestfinished', (request) => this.#keep(this.#allHeaders(request)));
    context.on('requestfailed', (request) => this.#keep(this.#allHeaders(request)));
    context.on('response', (response) => this.#keep(this.#response(context, response)));
    context.on('console', (message) => this.#console(message));
    context.on('weberror', (error) => {
      const text = `${error.error().message}\n${error.error().stack}`;
      this.search('console line', 'page error', text);
      this.troubles.push({ kind: 'page error', text });
    });
    context.on('serviceworker', (worker) => {
      this.troubles.push({ kind: 'unread', text: `a service worker, which nobody searches: ${worker.url()}` });
    });
    context.on('page', (page) => {
      page.on('websocket', (socket) => this.#socket(socket));
      page.on('download', (download) =>
        this.#keep(
          download.path().then(async (path) => this.search('download', download.suggestedFilename(), await readFile(path))),
        ),
      );
    });
  }

  /** Searches what the page shows and keeps at this moment. */
  async look(page: Page): Promise<void> {
    if (page.isClosed() || page.url() === 'about:blank') return;
    const context = page.context();
    this.search('request line', 'address', page.url());
    this.search('DOM', page.url(), await page.content());
    const session = await context.newCDPSession(page);
    const tree = await session.send('Accessibility.getFullAXTree');
    await session.detach();
    this.search('accessibility tree', page.url(), JSON.stringify(tree.nodes));
    const { cookies, origins } = await context.storageState({ indexedDB: true });
    this.search('cookie', page.url(), JSON.stringify(cookies));
    for (const { origin, localStorage, indexedDB } of origins as ((typeof origins)[number] & { indexedDB?: unknown })[]) {
      this.search('localStorage', origin, JSON.stringify(localStorage));
      this.search('IndexedDB', origin, JSON.stringify(indexedDB ?? []));
    }
    const { session: kept, history, caches } = await page.evaluate(storage);
    this.search('sessionStorage', page.url(), kept);
    this.search('DOM', 'history.state', history);
    this.search('cache storage', page.url(), caches);
  }

  /** Searches every string that the page's scripts hold, and all of the WASM's memory. */
  async lookIntoMemory(page: Page, glue: string): Promise<void> {
    const session = await page.context().newCDPSession(page);
    const chunks: string[] = [];
    session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
    await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    await session.detach();
    const { strings } = JSON.parse(chunks.join('')) as { strings: string[] };
    this.search('memory', 'strings', strings.join('\n'));
    const memory = await page.evaluate(async (path) => {
      // Started already, the glue gives what it has: the WASM's exports.
      const { default: start } = (await import(path)) as { default: () => Promise<{ memory: WebAssembly.Memory }> };
      const bytes = new Uint8Array((await start()).memory.buffer);
      let text = '';
      for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
      return btoa(text);
    }, glue);
    this.search('memory', 'WASM', Buffer.from(memory, 'base64'));
  }

  /** Looks for numbers in `data`. */
  search(place: Place, what: string, data: Buffer | string): void {
    this.searched[place] += 1;
    for (const { person, ...finding } of search(data)) {
      this.leaks.push({ place, what, whose: person.name || 'the stranger', ...finding });
    }
  }

  /** Searches what has been seen, and waits for no more: a page goes on asking while it is closed, and its answers cannot be read. */
  async leave(): Promise<void> {
    await this.settled();
    this.#left = true;
  }

  /** Waits until everything that was seen has been searched. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #keep(work: Promise<void>): void {
    const kept: Promise<void> = work
      .catch((error: unknown) => {
        if (!this.#left) this.troubles.push({ kind: 'unread', text: String(error) });
      })
      .finally(() => this.#pending.delete(kept));
    this.#pending.add(kept);
  }

  #request(request: Request): void {
    const what = `${request.method()} ${request.url()}`;
    this.search('request line', what, what);
    const body = request.postDataBuffer();
    if (body) this.search('request body', what, body);
    this.search('request header', what, lines(request.headers()));
  }

  async #allHeaders(request: Request): Promise<void> {
    this.search('request header', `${request.method()} ${request.url()}`, lines(await request.allHeaders()));
  }

  async #response(context: BrowserContext, response: Response): Promise<void> {
    const request = response.request();
    const what = `${request.method()} ${response.url()}`;
    const headers = (await response.headersArray()).map(({ name, value }) => `${name}: ${value}`);
    this.search('response header', what, [response.statusText(), ...headers].join('\n'));
    const hasNone = request.method() === 'HEAD' || [101, 204, 205, 304].includes(response.status());
    if (hasNone || (response.status() >= 300 && response.status() < 400)) return;
    let body: Buffer;
    try {
      body = await response.body();
    } catch (error) {
      // Chromium forgets a body when the page that asked for it goes away, and has only the beginning of one that broke off.
      if (request.method() !== 'GET') throw new Error(`${what}: ${String(error)}`);
      body = await (await context.request.get(response.url())).body();
    }
    this.search('response body', what, body);
  }

  #console(message: ConsoleMessage): void {
    const text = message.text();
    this.search('console line', message.type(), text);
    if (message.type() === 'error') this.troubles.push({ kind: 'console error', text: `${text} (${message.location().url})` });
    // An object is shown as a preview; what is in it is asked for.
    for (const argument of message.args()) {
      const value = argument.jsonValue().then(
        (json) => this.search('console line', message.type(), JSON.stringify(json) ?? ''),
        // The page has gone, or it cannot be written as JSON.
        () => undefined,
      );
      this.#keep(value);
    }
  }

  #socket(socket: WebSocket): void {
    this.search('request line', 'WebSocket', socket.url());
    socket.on('framesent', ({ payload }) => this.search('WebSocket frame', `sent to ${socket.url()}`, payload));
    socket.on('framereceived', ({ payload }) => this.search('WebSocket frame', `received from ${socket.url()}`, payload));
  }
}

function lines(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

/** Runs in the page before any other script: reports each change of the document, also one that does not stay. */
function observe(): void {
  const report = globalThis as unknown as {
    reportDom: (strings: string[]) => Promise<void>;
    reportViolation: (text: string) => Promise<void>;
  };
  const { reportDom, reportViolation } = report;
  document.addEventListener('securitypolicyviolation', (event) => {
    void reportViolation(`${event.violatedDirective} refused ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
  });
  const text = (node: Node): string => (node instanceof Element ? node.outerHTML : (node.nodeValue ?? ''));
  const seen = (records: MutationRecord[]): void => {
    const strings = records.flatMap(({ type, target, addedNodes, attributeName, oldValue }) => {
      if (type === 'attributes') return [`${attributeName}=${(target as Element).getAttribute(attributeName ?? '')} ${oldValue}`];
      return [...(type === 'characterData' ? [target] : addedNodes)].map(text).concat(oldValue ?? []);
    });
    if (strings.length > 0) void reportDom(strings);
  };
  new MutationObserver(seen).observe(document, {
    subtree: true,
    childList: true,
    characterData: true,
    characterDataOldValue: true,
    attributes: true,
    attributeOldValue: true,
  });
}

/** Runs in the page: what Playwright does not read by itself. */
async function storage(): Promise<{ session: string; history: string; caches: string }> {
  const kept: string[] = [];
  // Only a secure context has any.
  const all = 'caches' in globalThis ? globalThis.caches : undefined;
  for (const name of (await all?.keys()) ?? []) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      const headers = JSON.stringify([...(response?.headers ?? [])]);
      kept.push(name, request.url, headers, (await response?.text()) ?? '');
    }
  }
  return {
    session: JSON.stringify(Object.entries(globalThis.sessionStorage)),
    history: JSON.stringify([window.history.state, window.name, document.title]),
    caches: kept.join('\n'),
  };
}
