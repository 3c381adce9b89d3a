import { lookEverywhere } from './looks.ts';

lookEverywhere({
  language: 'zh-CN',
  darkSize: 'phone',
  schematics: { theme: 'light', size: 'phone' },
  gate: 'gate-b-1',
});
