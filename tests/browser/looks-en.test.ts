import { lookEverywhere } from './looks.ts';

lookEverywhere({
  language: 'en',
  darkSize: 'desktop',
  schematics: { theme: 'dark', size: 'desktop' },
  gate: 'gate-a-1',
});
