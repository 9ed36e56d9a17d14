// The README's figures of the page: how long from the ring's webhook to the ring that is drawn, how long until the page can be clicked, and how
// many bytes travel. It judges nothing: a figure is printed, not a pass or a failure.
import { get } from 'node:http';
import { people } from '../harness/people.ts';
import { expect, test } from '../harness/story.ts';

const RINGS = 20;
const VISITS = 11;

test.use({ form: 'production' });

test('from the webhook to the ring', async ({ operator, cloud, house }) => {
  await operator.page.evaluate(() => {
    const drawn: number[] = [];
    const rings = new Set<Element>();
    new MutationObserver(() => {
      for (const ring of document.querySelectorAll('[role=alertdialog]')) {
        if (rings.has(ring)) continue;
        rings.add(ring);
        // The next frame shows it.
        requestAnimationFrame(() => drawn.push(performance.timeOrigin + performance.now()));
      }
    }).observe(document.body, { subtree: true, childList: true });
    (globalThis as unknown as { drawn: number[] }).drawn = drawn;
  });
  const times: number[] = [];
  for (let round = 0; round < RINGS; round += 1) {
    const caller = await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    const drawn = (): Promise<number[]> => operator.page.evaluate(() => (globalThis as unknown as { drawn: number[] }).drawn);
    await expect.poll(async () => (await drawn()).length).toBe(round + 1);
    const asked = house.arrivals.findLast(({ path }) => path === '/incoming')?.at ?? NaN;
    times.push(((await drawn())[round] ?? NaN) - asked);
    await caller.hangUp();
    await operator.ended('gaveUp');
  }
  print(`ring drawn after its webhook, median of ${RINGS}`, `${median(times).toFixed(1)} ms`);
});

test('until the page can be clicked', async ({ contextFor, house }) => {
  const times: number[] = [];
  for (let round = 0; round < VISITS; round += 1) {
    const context = await contextFor();
    await context.addInitScript(() => {
      const add = EventTarget.prototype.addEventListener;
      EventTarget.prototype.addEventListener = function (...listener: Parameters<typeof add>) {
        if (listener[0] === 'click' && this instanceof HTMLButtonElement && this.closest('main')) {
          (globalThis as unknown as { clickable: number }).clickable ??= performance.now();
        }
        add.apply(this, listener);
      };
    });
    const page = await context.newPage();
    await page.goto(house.origin);
    const clickable = await page.waitForFunction(() => (globalThis as unknown as { clickable?: number }).clickable);
    times.push((await clickable.jsonValue()) ?? NaN);
    await context.close();
  }
  print(`page can be clicked after, median of ${VISITS}`, `${median(times).toFixed(0)} ms`);
});

test('bytes that travel', async ({ seat, house }) => {
  const operator = await seat();
  const paths = await operator.page.evaluate(() =>
    performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname),
  );
  const kinds: [string, RegExp][] = [
    ['page', /^\/$/],
    ['wasm', /\.wasm$/],
    ['glue', /^\/pkg\/.*\.js$/],
    ['css', /\.css$/],
    ['SDK', /^\/sdk\/.*\.js$/],
  ];
  const sizes: Record<string, number> = {};
  for (const [kind, pattern] of kinds) {
    for (const path of new Set(['/', ...paths])) {
      if (pattern.test(path)) sizes[kind] = (sizes[kind] ?? 0) + (await brotliBytes(house.serverOrigin + path));
    }
    print(`${kind}, brotli`, `${sizes[kind] ?? NaN} B`);
  }
  const ours = (sizes['wasm'] ?? NaN) + (sizes['glue'] ?? NaN) + (sizes['css'] ?? NaN);
  print('wasm + glue + css, brotli', `${ours} B`);
});

function brotliBytes(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { headers: { 'accept-encoding': 'br' } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => resolve(bytes));
      if (response.headers['content-encoding'] !== 'br') print(`not compressed: ${new URL(url).pathname}`, '');
    });
    asked.on('error', reject);
  });
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(48)} ${figure}\n`);
}
