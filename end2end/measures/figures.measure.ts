// The README's figures of the page: how long from the ring's webhook to the ring that is drawn, how long until the page can be clicked, and how
// many bytes travel. It judges nothing: a figure is printed, not a pass or a failure.
import { get } from 'node:http';
import { openArticle } from '../article/site.ts';
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

/** This machine as it is, and a slow one far away. */
const networks = { 'as it is': undefined, 'slow and far': { bytesPerSecond: 200_000, latency: 150, slower: 4 } };

for (const [name, slow] of Object.entries(networks)) {
  test.describe(name, () => {
    // Nobody searches the bytes of these visits, and no front door is before the server.
    test.use({ form: 'rehearsal' });

    test('until the page can be clicked', async ({ chrome, house }) => {
      const article = await openArticle(() => house.serverOrigin);
      const visit = async (origin: string): Promise<Press> => {
        const context = await chrome.newContext({ locale: 'ja-JP', permissions: ['microphone'] });
        await context.addInitScript(pressAtOnce);
        const page = await context.newPage();
        if (slow) {
          const { bytesPerSecond, latency, slower } = slow;
          const throughput = { downloadThroughput: bytesPerSecond, uploadThroughput: bytesPerSecond };
          const devtools = await context.newCDPSession(page);
          await devtools.send('Network.enable');
          await devtools.send('Network.emulateNetworkConditions', { offline: false, latency, ...throughput });
          await devtools.send('Emulation.setCPUThrottlingRate', { rate: slower });
        }
        await page.goto(origin);
        const pressed = await page.waitForFunction(() => (globalThis as { press?: Press }).press);
        const press = (await pressed.jsonValue()) as Press;
        await context.close();
        return press;
      };
      const ours: Press[] = [];
      const theirs: Press[] = [];
      for (let round = 0; round < VISITS; round += 1) {
        ours.push(await visit(house.serverOrigin));
        theirs.push(await visit(article.origin));
      }
      await article.close();
      const figure = (visits: Press[], which: keyof Press): string => `${median(visits.map((press) => press[which])).toFixed(0)} ms`;
      print(`${name}: a press counts after, median of ${VISITS}`, figure(ours, 'counts'));
      print(`${name}: what it asks for begins after`, figure(ours, 'begins'));
      print(`${name}: the article's page, for both`, figure(theirs, 'begins'));
    });
  });
}

/** When the first press that was not lost came, and when what it asks for began, in milliseconds since the visit began. */
interface Press {
  counts: number;
  begins: number;
}

/** Presses the button that begins a shift in each frame until it has begun; of our page, which holds a press that comes early, once. */
function pressAtOnce(): void {
  let counts: number | undefined;
  const frame = (): void => {
    const page = document.querySelector<HTMLElement>('[data-scene], #initSection');
    const button = page?.querySelector<HTMLButtonElement>('main button, #initButton');
    if (!page || !button?.getClientRects().length) return void requestAnimationFrame(frame);
    const { scene } = page.dataset;
    if (counts === undefined || scene === undefined) {
      counts = performance.now();
      button.click();
    }
    const begun = (): void => {
      if (page.dataset['scene'] === scene && !button.disabled) return void requestAnimationFrame(scene === undefined ? frame : begun);
      Object.assign(globalThis, { press: { counts, begins: performance.now() } });
    };
    begun();
  };
  requestAnimationFrame(frame);
}

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
