import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Io } from './io.ts';

/**
 * One line that somebody types at the terminal; `hidden`: it is not shown.
 * @throws Error where nobody sits at one, with `otherwise`: how to give it instead.
 */
export async function ask(
  io: Io,
  question: string,
  { hidden = false, otherwise }: { readonly hidden?: boolean; readonly otherwise: string },
): Promise<string> {
  if (!process.stdin.isTTY) throw new Error(otherwise);
  io.err(`${question} `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: hidden });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(new Error('given up')));
      lines.once('close', () => reject(new Error(otherwise)));
    });
  } finally {
    lines.close();
    if (hidden) io.err('\n');
  }
}

/**
 * Typed and not shown; from standard input where that is no terminal. Never an argument, which others see.
 * @throws Error saying how to give it, where nobody does.
 */
export async function readPassword(io: Io, login: string): Promise<string> {
  const otherwise = `no password of ${login} was given: type it at a terminal, or set PARKLINE_PASSWORD`;
  if (process.stdin.isTTY) return ask(io, `password of ${login}:`, { hidden: true, otherwise });
  const password = standardInput().trim();
  if (password === '') throw new Error(otherwise);
  return password;
}

/** What is piped in; empty where standard input is closed or has nothing to read. */
function standardInput(): string {
  try {
    return readFileSync(0, 'utf8');
  } catch {
    return '';
  }
}
