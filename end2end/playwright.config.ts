// The browser tests. They wait for events; time passes only where it is the matter itself, as in sleep or in what must not happen. So
// nothing is tried twice: a test that fails now and then is a fault of the product or of the test.
import { defineConfig } from '@playwright/test';
import { launchOptions } from './harness/chromium.ts';

export default defineConfig({
  testDir: '.',
  testMatch: ['stories/*.spec.ts', 'canary/*.spec.ts', 'referee/*.spec.ts', 'article/*.spec.ts'],
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: Boolean(process.env['CI']),
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list'], ['html', { open: 'never' }]],
  use: {
    browserName: 'chromium',
    launchOptions: launchOptions(),
    actionTimeout: 15_000,
    navigationTimeout: 15_000,
    trace: 'off',
    screenshot: 'only-on-failure',
  },
});
