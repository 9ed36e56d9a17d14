// The number is not even in the memory of the operator's browser: in no string of its scripts and nowhere in the WASM's memory.
import { glueOf } from '../harness/console.ts';
import { people } from '../harness/people.ts';
import { expect, test } from '../harness/story.ts';

test('while it rings, during the call and afterwards', async ({ operator, cloud, watch }) => {
  const glue = await glueOf(operator.page);
  const caller = await cloud.call(people.koshii);
  await operator.ringsFor('越井 琢巳');
  await watch.lookIntoMemory(operator.page, glue);
  await operator.accept();
  await operator.talksWith(caller);
  await watch.lookIntoMemory(operator.page, glue);
  await caller.hangUp();
  await operator.ended('callerHungUp');
  await watch.lookIntoMemory(operator.page, glue);
  expect(watch.searched.memory).toBe(6);
});
