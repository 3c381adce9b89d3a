import { expect, test } from 'vitest';
import { thingWords } from './thing-words.ts';

test('what is wrong with a thing is said in both languages, with what it is about', () => {
  for (const [name, words] of Object.entries(thingWords)) {
    const given = ['KEY-1', 'KEY-2'].slice(0, typeof words === 'function' ? words.length : 0);
    const { en, zh } =
      typeof words === 'function'
        ? (words as (...of: string[]) => { en: string; zh: string })(...given)
        : words;
    expect([name, zh]).toEqual([name, expect.stringMatching(/\p{Script=Han}/u)]);
    expect([name, en]).toEqual([name, expect.not.stringMatching(/\p{Script=Han}/u)]);
    for (const one of given) expect([name, en.includes(one), zh.includes(one)]).toEqual([name, true, true]);
  }
});
