import type { TenantRecord } from '@parkline/contract';
import { expect, test } from 'vitest';
import type { Api } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import { RecordEdit } from './record-edit.svelte.ts';

const name = (en: string) => ({ en, zh: en });
const tenant = (version: number, en: string): TenantRecord => ({
  id: 't',
  key: 'k',
  version,
  name: name(en),
});

/** A server that keeps one tenant. */
function server(kept: TenantRecord) {
  const state = { kept };
  const api = {
    record: () => Promise.resolve(state.kept),
    changeRecord: (
      _name: string,
      _id: string,
      version: number,
      body: { name: { en: string; zh: string } },
    ) => {
      if (version !== state.kept.version)
        return Promise.reject(
          new ApiError(409, { code: 'stale_edit', message: '', details: { current: state.kept } }),
        );
      state.kept = { ...state.kept, ...body, version: version + 1 };
      return Promise.resolve(state.kept);
    },
    removeRecord: () => Promise.reject(new ApiError(409, { code: 'conflict', message: 'held' })),
  };
  return { state, api: api as unknown as Pick<Api, 'record' | 'changeRecord' | 'removeRecord'> };
}

test('what another saved first is shown, and either can be kept', async () => {
  const { state, api } = server(tenant(1, 'first'));
  const edit = new RecordEdit(api, 'tenants');
  await edit.load('t');
  state.kept = tenant(2, 'theirs');
  expect(await edit.save({ key: 'k', name: name('mine') })).toBe(false);
  expect(edit.theirs?.name.en).toBe('theirs');
  expect(state.kept.name.en).toBe('theirs');

  expect(await edit.keepMine()).toBe(true);
  expect([state.kept.name.en, state.kept.version, edit.theirs]).toEqual(['mine', 3, undefined]);

  state.kept = tenant(4, 'again');
  expect(await edit.save({ key: 'k', name: name('mine too') })).toBe(false);
  edit.takeTheirs();
  expect([edit.stored.data?.name.en, edit.theirs, state.kept.name.en]).toEqual(['again', undefined, 'again']);
  expect(await edit.save({ key: 'k', name: name('at last') })).toBe(true);
});

test('what cannot be deleted says so', async () => {
  const edit = new RecordEdit(server(tenant(1, 'first')).api, 'tenants');
  await edit.load('t');
  expect(await edit.remove()).toBe(false);
  expect(edit.action.error?.message).toBe('held');
});
