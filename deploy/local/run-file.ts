import { rm } from 'node:fs/promises';
import { readIfThere, writeWhole } from './files.ts';

/** What tools and people need to reach a running park. The file holds passwords: mode 0600. */
export interface RunFile {
  readonly url: string;
  /** Of the starter: SIGTERM to it stops everything. */
  readonly pid: number;
  /** Key of the account of the park that runs; undefined while the park is empty. */
  readonly account?: string;
  readonly users: readonly RunUser[];
  readonly gateways: readonly { readonly id: string; readonly name: string; readonly home: string }[];
  /** Owner's address of the database. */
  readonly database: string;
  readonly nats: string;
}

export interface RunUser {
  readonly role: string;
  readonly login: string;
  readonly password: string;
  /** Key of the account, where it is not the running park's. */
  readonly account?: string;
}

export const writeRunFile = (file: string, run: RunFile): Promise<void> =>
  writeWhole(file, `${JSON.stringify(run, null, 2)}\n`);

/** The run file of a park that may or may not still run. */
export async function readRunFile(file: string): Promise<RunFile | undefined> {
  const text = await readIfThere(file);
  return text === undefined ? undefined : (JSON.parse(text) as RunFile);
}

export const removeRunFile = (file: string): Promise<void> => rm(file, { force: true });
