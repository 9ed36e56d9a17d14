// Leaks on purpose that need a house: the search of every story must find them.
import { join } from 'node:path';
import type { Watch } from '../canary/watch.ts';
import { people } from '../harness/people.ts';
import { glueOf } from '../harness/console.ts';
import { Program } from '../harness/program.ts';
import { expect, test } from '../harness/story.ts';

const DIAL = '<Client><Identity>user001</Identity><Parameter name="customerName" value="越井 琢巳"/></Client>';

test.describe('a <Dial> without callerId, as in the article', () => {
  test.use({ form: 'production', twiml: `<Response><Dial answerOnBridge="true">${DIAL}</Dial></Response>` });

  test("leaves the caller's number in the browser's memory, where the search finds it", async ({ operator, cloud, watch }) => {
    await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await watch.settled();
    watch.leaks.splice(0);
    await watch.lookIntoMemory(operator.page, await glueOf(operator.page));
    expect(new Set(watch.leaks.splice(0).map(({ place, what }) => `${place}: ${what}`))).toEqual(new Set(['memory: strings']));
  });

  test("hands the caller's number to the browser, and the search finds it in the WebSocket's frame", async ({ operator, cloud, watch }) => {
    await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await watch.look(operator.page);
    const leaks = watch.leaks.splice(0);
    expect(leaks.length).toBeGreaterThan(0);
    expect(new Set(leaks.map(({ place, whose }) => `${place}: ${whose}`))).toEqual(new Set(['WebSocket frame: 越井 琢巳']));
  });
});

test.describe('a number among the custom parameters', () => {
  const parameter = `<Client><Identity>user001</Identity><Parameter name="customerName" value="${people.sato.number}"/></Client>`;
  test.use({
    form: 'production',
    twiml: `<Response><Dial answerOnBridge="true" callerId="client:x">${parameter}</Dial></Response>`,
  });

  test('is found in the frame, in the document and in the accessibility tree', async ({ operator, cloud, watch }) => {
    await cloud.call(people.koshii);
    await expect(operator.rings).toHaveCount(1);
    await watch.look(operator.page);
    const leaks = watch.leaks.splice(0);
    expect(new Set(leaks.map(({ whose }) => whose))).toEqual(new Set(['佐藤 美咲']));
    const places = leaks.map(({ place }) => place);
    for (const place of ['WebSocket frame', 'DOM', 'accessibility tree'] as const) expect(places).toContain(place);
    // What is on the screen is found again at the end of the story.
    await operator.page.goto('about:blank');
    await watch.settled();
    watch.leaks.splice(0);
  });
});

test.describe('a number that the server gives away only when it ends', () => {
  const ending = test.extend<{ watch: Watch }>({
    // The house is pulled down between these two lines.
    watch: async ({ watch }, use) => {
      await use(watch);
      const leaks = watch.leaks.splice(0).map(({ place, what, whose }) => `${place}: ${what}: ${whose}`);
      expect(new Set(leaks)).toEqual(
        new Set(["server's file: calls.txt: María José 🌸", "server's log: everything that was printed: 鈴木 一郎"]),
      );
    },
  });

  ending('is found in what it printed and in what it left behind, though no browser was there', async ({ house }) => {
    const { suzuki, maria } = people;
    const farewell = `
      console.log('here');
      setInterval(() => {}, 1000);
      process.on('SIGTERM', () => {
        console.error('call from 0${suzuki.number.slice(3)}');
        require('fs').writeFileSync(process.env.FILE, '${Buffer.from(maria.number).toString('base64')}');
        process.exit();
      });`;
    const server = Program.start(process.execPath, { FILE: join(house.data, 'calls.txt') }, ['-e', farewell]);
    house.programs.push(['chatterbox', server]);
    await server.says(/here/);
  });
});
