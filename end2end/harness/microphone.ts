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

interface Sockets {
  /** Whether there is a microphone. */
  there: boolean;
  /** What the default one is called, if not by its own name. */
  name?: string;
}

/** Runs in the page before any other script: what the page and the SDK are told of the machine's microphones is ours to say. */
export function plugs(): void {
  if (!('MediaDevices' in globalThis)) return;
  const sockets: Sockets = { there: true };
  const media = MediaDevices.prototype;
  const { enumerateDevices } = media;
  media.enumerateDevices = async function () {
    const devices = await enumerateDevices.call(this);
    return devices.flatMap((device) => {
      const { deviceId, groupId, kind, label } = device;
      if (kind !== 'audioinput') return [device];
      const told = { deviceId, groupId, kind, label: (deviceId === 'default' && sockets.name) || label };
      return sockets.there ? [{ ...told, toJSON: () => told }] : [];
    });
  };
  Object.assign(globalThis, { sockets });
}

/** Plugs the only microphone in, or out, as far as the page can tell. */
export function plug(page: Page, there: boolean): Promise<void> {
  return change(page, { there });
}

/** Makes another microphone the machine's default one, as a headset becomes when it is plugged in. */
export function plugIn(page: Page, name: string): Promise<void> {
  return change(page, { there: true, name });
}

/** Lets the microphone that is asked for next wait. */
export async function opensLate(page: Page): Promise<{ isAsked: () => Promise<unknown>; now: () => Promise<void> }> {
  await page.evaluate(() => {
    const media = MediaDevices.prototype;
    const { getUserMedia } = media;
    media.getUserMedia = async function (constraints) {
      media.getUserMedia = getUserMedia;
      await new Promise<void>((open) => Object.assign(globalThis, { unseal: open }));
      return getUserMedia.call(this, constraints);
    };
  });
  return {
    isAsked: () => page.waitForFunction(() => 'unseal' in globalThis),
    now: () => page.evaluate(() => (globalThis as unknown as { unseal: () => void }).unseal()),
  };
}

async function change(page: Page, sockets: Sockets): Promise<void> {
  await page.evaluate((change) => {
    Object.assign((globalThis as unknown as { sockets: Sockets }).sockets, change);
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
  }, sockets);
}
