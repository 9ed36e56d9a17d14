// The operator's answer when the browser asks for the microphone, and their change of mind.
import type { BrowserContext } from '@playwright/test';

/** Says for the operator what the browser would ask them. */
export async function allow(context: BrowserContext, origin: string, granted: boolean): Promise<void> {
  if (granted) {
    await context.grantPermissions(['microphone'], { origin });
    return;
  }
  // Playwright can only grant: what is not granted waits for an answer for ever.
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  await session.send('Browser.setPermission', {
    permission: { name: 'microphone' },
    setting: 'denied',
    origin,
    ...(targetInfo.browserContextId ? { browserContextId: targetInfo.browserContextId } : {}),
  });
  await page.close();
}
