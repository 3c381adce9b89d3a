// Runs before the bundle: the same two choices as src/lib/state/preferences.svelte.ts, read from the same keys.
(() => {
  const root = document.documentElement;
  const theme = localStorage.getItem('parkline.theme');
  const dark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'dark' : 'light';
  root.lang = localStorage.getItem('parkline.language') ?? (/^zh/i.test(navigator.language) ? 'zh-CN' : 'en');
})();
