import { userInfo } from 'node:os';
import type { Pool } from 'pg';
import { createPool } from '../platform/db.ts';
import { databaseUrl, type Io } from './io.ts';

/** The user of the operating system that runs the command. */
export function operator(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`; // A container may run as a number that nobody has a name for.
  }
}

/**
 * The owner's database, for one command: what is done through it is audited as done by the operating system's user.
 * Whoever makes it ends it. @throws NoServiceError saying how to name the database.
 */
export const commandPool = (io: Io, noun: string): Pool =>
  createPool({ url: databaseUrl(io), max: 2, name: `parkline ${noun}`, operator: operator() });
