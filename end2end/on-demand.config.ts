// What is run only when somebody asks for it: the README's figures and its pictures.
// `npx playwright test -c on-demand.config.ts --project=measure` (or `--project=screenshots`)
import { defineConfig } from '@playwright/test';
import tests from './playwright.config.ts';

export default defineConfig({
  ...tests,
  workers: 1,
  timeout: 300_000,
  reporter: 'line',
  projects: [
    { name: 'measure', testMatch: 'measures/*.measure.ts' },
    { name: 'screenshots', testMatch: 'screenshots/*.shots.ts' },
  ],
});
