import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

/** Unit tests of the portal. They need Svelte's compiler for the state classes, and the tsconfig that Kit writes. */
export default defineConfig({
  plugins: [sveltekit()],
  // Runes as in the browser, without a browser.
  resolve: { conditions: ['browser'] },
  test: { name: 'unit:portal', include: ['src/**/*.test.ts'], environment: 'node' },
});
