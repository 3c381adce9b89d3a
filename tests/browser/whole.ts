import type { Page } from 'playwright-core';
import { en } from '../../dashboards/src/lib/i18n/en.ts';
import { soon } from './hall.ts';
import { type Look, seriousFindings, sizes } from './visitor.ts';

const leavesOf = (node: unknown): string[] =>
  typeof node === 'string' ? [node] : Object.values(node as object).flatMap(leavesOf);
/** Whole sentences: single words such as names and units stand in both languages. */
const sentences = leavesOf(en).filter((text) => text.split(' ').length > 2 && !text.includes('{{'));
const nonsense = new RegExp(
  String.raw`\b(${Object.keys(en).join('|')})\.[a-z][A-Za-z_]+|\{\{|\bundefined\b|\bNaN\b|\[object `,
);

/** What a reader of this language finds in place of a translation, in what is seen and what is heard. */
async function untranslated(page: Page, language: Look['language']): Promise<string[]> {
  const told = await page.evaluate<string>(`[
    document.title, document.body.innerText,
    ...['aria-label', 'title', 'alt', 'placeholder'].flatMap((name) =>
      [...document.querySelectorAll('[' + name + ']')].map((node) => node.getAttribute(name))),
  ].join('\\n')`);
  const foreign = language === 'en' ? [] : sentences.filter((sentence) => told.includes(sentence));
  return [...(nonsense.exec(told) ?? []).slice(0, 1), ...foreign];
}

/** Whatever is wrong with what is on screen. */
export async function faultsOf(page: Page, { language, size }: Look): Promise<string[]> {
  await page
    .locator('.skeleton')
    .first()
    .waitFor({ state: 'detached', ...soon });
  const words = await untranslated(page, language);
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  const wide = width > sizes[size].viewport.width ? [`${width} px wide`] : [];
  const lang = await page.locator('html').getAttribute('lang');
  return [
    ...words,
    ...wide,
    ...(lang === language ? [] : [`lang ${lang}`]),
    ...(await seriousFindings(page)),
  ];
}
