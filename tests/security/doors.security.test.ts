import { afterAll, expect, test } from 'vitest';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { serveApi } from '../../cloud/src/testing-api.ts';
import { givenFullAccount } from '../../cloud/src/testing.ts';
import { tryAll } from './attempts.ts';
import { doorAttacks, forgeryAttacks } from './doors.ts';

const database = await clonedDatabase();
const owner = database.pool();
const [ours, theirs] = [await givenFullAccount(owner), await givenFullAccount(owner)];
const { app, url } = await serveApi(database);
afterAll(() => app.close());

test('nobody reaches what is not theirs', async (context) => {
  expect(await tryAll(context, 'doors', doorAttacks({ url, ours, theirs }))).toEqual([]);
});

test('no page of another site acts with the session of somebody who visits it', async (context) => {
  expect(await tryAll(context, 'forgery', forgeryAttacks({ url, ours, theirs }))).toEqual([]);
});
