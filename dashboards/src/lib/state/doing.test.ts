import { expect, test } from 'vitest';
import { ApiError } from '../api/errors.ts';
import type { Upload } from '../api/upload.ts';
import { Action } from './action.svelte.ts';
import { PhotoUpload } from './photo-upload.svelte.ts';

const offline = new ApiError(0, { code: 'offline', message: 'no reply' });

test('an action runs once at a time and tells why it failed', async () => {
  const action = new Action();
  let done: () => void = () => undefined;
  const first = action.run(() => new Promise<void>((resolve) => (done = resolve)));
  expect([action.busy, await action.run(async () => undefined)]).toEqual([true, false]);
  done();
  expect([await first, action.busy]).toEqual([true, false]);

  expect(await action.run(() => Promise.reject(offline))).toBe(false);
  expect(action.error).toBe(offline);
  await action.run(async () => undefined);
  expect(action.error).toBeUndefined();
});

test('a bug is no refusal: it is thrown on, and the action is free again', async () => {
  const action = new Action();
  await expect(action.run(() => Promise.reject(new TypeError('bug')))).rejects.toThrow('bug');
  expect([action.busy, action.error]).toEqual([false, undefined]);
});

function given() {
  const sent: Upload[] = [];
  const answers: (() => Promise<void>)[] = [];
  let arrived = 0;
  const photo = new PhotoUpload('/photos?kind=before', {
    upload: async (upload) => {
      sent.push(upload);
      upload.onProgress(0.5);
      await answers.shift()?.();
    },
    onSent: async () => (arrived += 1),
  });
  return { photo, sent, answers, arrived: () => arrived };
}
const picture = new Blob(['jpeg'], { type: 'image/jpeg' });

test('a photo goes out with its progress and is told when it has arrived', async () => {
  const { photo, sent, answers, arrived } = given();
  let finish: () => void = () => undefined;
  answers.push(() => new Promise((resolve) => (finish = resolve)));
  const sending = photo.send(picture);
  expect([photo.state, photo.progress]).toEqual(['sending', 0.5]);
  await photo.send(picture);
  finish();
  await sending;
  expect([photo.state, sent.length, sent[0]?.url, arrived()]).toEqual(['idle', 1, '/photos?kind=before', 1]);
});

test('a photo that failed is kept and sent again', async () => {
  const { photo, sent, answers, arrived } = given();
  answers.push(() => Promise.reject(offline));
  await photo.send(picture);
  expect([photo.state, photo.error, arrived()]).toEqual(['failed', offline, 0]);
  await photo.retry();
  expect([photo.state, photo.error, arrived()]).toEqual(['idle', undefined, 1]);
  expect(sent.map(({ body }) => body)).toEqual([picture, picture]);
  await photo.retry();
  expect(sent.length).toBe(2);
});
