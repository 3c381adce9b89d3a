import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';

const announcer = /\n\s*style="[^"]*"/;

/**
 * Kit's root component hides its screen-reader announcer with a style attribute, which our policy (default-src 'self')
 * refuses; src/lib/ui/base.css hides it instead.
 * @throws Error when a new Kit has it elsewhere, so that a build never ships a violation unnoticed.
 */
function withoutInlineStyle({ content, filename }: { content: string; filename?: string }) {
  if (!filename?.endsWith('/runtime/components/root.svelte')) return undefined;
  if (!announcer.test(content))
    throw new Error(`no style attribute in ${filename}: is the announcer elsewhere?`);
  return { code: content.replace(announcer, '') };
}

/** Where `npm run dev` finds the API; the built portal is served by the API itself. */
const api = process.env['PARKLINE_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [
    sveltekit({
      adapter: adapter({ fallback: '200.html', precompress: true }),
      preprocess: { markup: withoutInlineStyle },
      // The one inline script of the page is named by its hash, so the server needs no 'unsafe-inline'.
      csp: { mode: 'hash', directives: { 'script-src': ['self'] } },
    }),
  ],
  server: { proxy: { '/api': api } },
});
