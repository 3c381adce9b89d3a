import { expect, inject, test } from 'vitest';
import { english, receiveVisitors, soon } from './hall.ts';

// After each test the visitor's console must be empty of errors: a violation of the content security policy is one.
const { run } = inject('demoPark');
const visitor = receiveVisitors(run);

test('the description of the API is read without another site’s help, and nothing on its page is refused', async () => {
  const { page } = await visitor(english, null);
  const foreign: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(`${new URL(run.url).origin}/`) && !request.url().startsWith('data:'))
      foreign.push(request.url());
  });
  await page.goto('/docs/');
  await page.locator('.opblock-tag', { hasText: 'Work orders' }).click();
  const operation = page.locator('.opblock', { hasText: 'Accept a work order' });
  await operation.locator('.opblock-summary-control').click();
  await expect.poll(() => operation.locator('.responses-table').first().isVisible(), soon).toBe(true);
  expect(await operation.innerText()).toContain('Idempotency-Key');
  expect(foreign).toEqual([]);
});
