// Which Chromium runs, and with which flags. Two things are deliberately absent: Playwright's own download of a browser, and
// any flag that grants the microphone, which each story does for itself.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { LaunchOptions } from '@playwright/test';

/** The hosts at which the Voice SDK reaches Twilio. */
export const TWILIO_HOSTS = [
  'voice-js.roaming.twilio.com',
  'voice-js.ashburn.twilio.com',
  'eventgw.us1.twilio.com',
  'eventgw.twilio.com',
  'sdk.twilio.com',
];

const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A microphone that beeps. */
export const FAKE_MICROPHONE = '--use-fake-device-for-media-stream';

/** How Chromium is started, with a microphone that beeps unless `microphone` is false. Playwright keeps every page out of the
 *  back/forward cache unless `keepsPages`. */
export function launchOptions(options: { microphone?: boolean; keepsPages?: boolean; args?: string[] } = {}): LaunchOptions {
  const { microphone = true, keepsPages = false, args = [] } = options;
  return {
    executablePath: executable(),
    // Chromium refuses to put root into its sandbox.
    chromiumSandbox: process.getuid?.() !== 0,
    ...(keepsPages ? { ignoreDefaultArgs: ['--disable-back-forward-cache'] } : {}),
    args: [...QUIET, ...(microphone ? [FAKE_MICROPHONE] : []), ...args],
  };
}

/** The flags that send every connection for Twilio to a stand-in on this machine, over TLS, with a certificate of its own. */
export function twilioAt(port: number): string[] {
  const rules = TWILIO_HOSTS.map((host) => `MAP ${host}:443 127.0.0.1:${port}`).join(',');
  return [`--host-resolver-rules=${rules}`, '--ignore-certificate-errors'];
}

function executable(): string {
  const named = process.env['CHROMIUM'];
  if (named) return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  for (const name of ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']) {
    for (const folder of folders) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not there: the next one.
      }
    }
  }
  throw new Error('No Chromium on PATH: install the package `chromium`, or name one with CHROMIUM=/path/to/it');
}
