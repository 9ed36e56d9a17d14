// More than one page of the same operator, and pages that come and go.
import type { Console } from '../harness/console.ts';
import { people } from '../harness/people.ts';
import { expect, test } from '../harness/story.ts';

test('two tabs ring, one answers, the other says so', async ({ operator, seat, cloud }) => {
  const other = await (await seat({ beside: operator })).startShift();
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await other.ringsFor('越井 琢巳');

  await other.accept();
  await other.talksWith(caller);
  await operator.ended('elsewhere');
  await expect(operator.rings).toHaveCount(0);

  await other.button('hangUp').click();
  await other.ended('hungUp');
  await cloud.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
  await other.ringsFor('佐藤 美咲');
});

/** Leaves a page, and says yes when it asks whether to. */
async function leave({ page }: Console, how: 'closed' | 'reloaded'): Promise<void> {
  page.on('dialog', (dialog) => dialog.accept());
  if (how === 'reloaded') {
    await page.reload();
    return;
  }
  const closed = page.waitForEvent('close');
  await page.close({ runBeforeUnload: true });
  await closed;
}

for (const how of ['closed', 'reloaded'] as const) {
  test(`a tab that is ${how} rejects nothing that rings in the other`, async ({ operator, seat, cloud }) => {
    const other = await (await seat({ beside: operator })).startShift();
    const caller = await cloud.call(people.koshii);
    await operator.ringsFor('越井 琢巳');
    await other.ringsFor('越井 琢巳');
    await leave(other, how);
    // Whatever it still said to the cloud, it has said by then.
    await expect.poll(() => cloud.registered('user001')).toBe(1);
    expect(await caller.status()).toBe('ringing');
    await operator.accept();
    await operator.talksWith(caller);
  });
}

test('a tab that talks is closed, its caller is let go, and who rings goes on ringing in the other', async ({ operator, seat, cloud }) => {
  const other = await (await seat({ beside: operator })).startShift();
  const first = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await other.accept();
  await other.talksWith(first);
  await operator.ended('elsewhere');
  const second = await cloud.call(people.sato, 880);
  await operator.ringsFor('佐藤 美咲');
  await other.ringsFor('佐藤 美咲');
  await leave(other, 'closed');
  await expect.poll(() => cloud.registered('user001')).toBe(1);
  await expect.poll(() => first.status()).toBe('completed');
  expect(await second.status()).toBe('ringing');
  await operator.accept();
  await operator.talksWith(second, 880);
});

test.describe('away and back in the history', () => {
  test.use({ keepsPages: true });

  for (const onDuty of [false, true]) {
    test(onDuty ? 'on duty' : 'off duty', async ({ seat, house, cloud }) => {
      const operator = await seat();
      const { page } = operator;
      if (onDuty) await operator.startShift();
      await page.evaluate(() => addEventListener('pageshow', ({ persisted }) => Object.assign(globalThis, { persisted })));
      await page.goto(`${house.origin}/healthz`);
      await expect.poll(() => cloud.registered('user001')).toBe(0);
      // Playwright's own way back waits for a page that is loaded.
      await page.evaluate(() => setTimeout(() => history.back()));
      await operator.is('offDuty');
      // Chromium keeps no page that has asked for the microphone.
      const persisted = await page.evaluate(() => (globalThis as unknown as { persisted?: boolean }).persisted);
      expect(persisted).toBe(onDuty ? undefined : true);
      await operator.alive();
      await operator.startShift();
      const caller = await cloud.call(people.koshii);
      await operator.accept();
      await operator.talksWith(caller);
    });
  }
});

test('a page that a browser keeps on duty rings no more, and again when it is back', async ({ operator, cloud }) => {
  const tell = (event: string): Promise<unknown> =>
    operator.page.evaluate((event) => dispatchEvent(new PageTransitionEvent(event, { persisted: true })), event);
  await tell('pagehide');
  await expect.poll(() => cloud.registered('user001')).toBe(0);
  await operator.is('lineDown');
  await tell('pageshow');
  await operator.is('available');
  expect(await cloud.registered('user001')).toBe(1);
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
});

test('a reload in a call ends the call, and the console takes the next', async ({ operator, cloud }) => {
  const caller = await cloud.call(people.koshii);
  await operator.accept();
  await operator.talksWith(caller);
  await operator.page.reload();
  await expect.poll(() => caller.status()).toBe('completed');
  await operator.alive();
  await operator.is('offDuty');
  await operator.startShift();
  await cloud.call(people.sato);
  await operator.ringsFor('佐藤 美咲');
});

test('leaving the page is asked about only while somebody would be cut off', async ({ operator, cloud }) => {
  const { page } = operator;
  const asked: string[] = [];
  page.on('dialog', async (dialog) => {
    asked.push(dialog.type());
    await dialog.dismiss();
  });
  const leave = (): Promise<unknown> => page.close({ runBeforeUnload: true });
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await leave();
  await expect.poll(() => asked).toEqual(['beforeunload']);
  await operator.accept();
  await leave();
  await expect.poll(() => asked).toEqual(['beforeunload', 'beforeunload']);
  await operator.talksWith(caller);
  await caller.hangUp();
  await operator.ended('callerHungUp');
  const closed = page.waitForEvent('close');
  await leave();
  await closed;
  expect(asked).toHaveLength(2);
});
