import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { createStore } from './store.ts';
import { openStoreFile } from './store-file.ts';
import { quietLog, scratchFolder } from './testing.ts';

const retained = 'INSERT INTO retained VALUES (?, ?, 1, 0)';

test('a change that says it is done is in the file; one that cannot be made fails alone', async () => {
  const path = join(scratchFolder(), 'deep', 'mqtt.sqlite');
  const store = createStore(openStoreFile(path, quietLog, Date.now));
  const outcomes = await Promise.allSettled([
    store.write(retained, 'a', Buffer.from('1')),
    store.write(retained, 'a', Buffer.from('2')),
    store.write('INSERT INTO nowhere VALUES (1)'),
    store.write(retained, 'b', Buffer.from('3')),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  const beside = new DatabaseSync(path, { readOnly: true });
  expect(beside.prepare('SELECT topic FROM retained').all()).toEqual([{ topic: 'a' }, { topic: 'b' }]);
  beside.close();
  store.close();
  store.close();
  await expect(store.write(retained, 'c', Buffer.from('4'))).rejects.toThrow('closed');
});

test('what waits is written when it closes', () => {
  const path = join(scratchFolder(), 'mqtt.sqlite');
  const store = createStore(openStoreFile(path, quietLog, Date.now));
  void store.write(retained, 'a', Buffer.from('1'));
  store.close();
  const again = createStore(openStoreFile(path, quietLog, Date.now));
  expect(again.rows('SELECT topic FROM retained')).toEqual([{ topic: 'a' }]);
  again.close();
});

test('a file of a later version is left alone, and it is said', () => {
  const path = join(scratchFolder(), 'mqtt.sqlite');
  const db = new DatabaseSync(path);
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(() => openStoreFile(path, quietLog, Date.now)).toThrow(
    /has version 99, this program knows 1: update/,
  );
});
