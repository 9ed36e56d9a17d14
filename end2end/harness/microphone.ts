// The operator's answer when the browser asks for the microphone, their change of mind, and the microphone's plug.
import type { BrowserContext, Page } from '@playwright/test';

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

/** Plugs the only microphone in, or out, as far as the page can tell. */
export async function plug(page: Page, there: boolean): Promise<void> {
  await page.evaluate((there) => {
    const devices = navigator.mediaDevices;
    const { enumerateDevices } = MediaDevices.prototype;
    devices.enumerateDevices = async () => (await enumerateDevices.call(devices)).filter(({ kind }) => there || kind !== 'audioinput');
    devices.dispatchEvent(new Event('devicechange'));
  }, there);
}
