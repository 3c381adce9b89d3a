import { PassThrough } from 'node:stream';
import type { LiveSample } from '@parkline/contract';
import { expect, test } from 'vitest';
import { createLiveStream } from './live.ts';

const sample = (second: number, pointId = 'p'): LiveSample => ({
  pointId,
  at: new Date(second * 1_000).toISOString(),
  value: second,
  quality: 'good',
});

function given() {
  const body = new PassThrough();
  const events = () =>
    String(body.read() ?? '')
      .split('\n\n')
      .filter(Boolean)
      .map((block) =>
        (JSON.parse(block.replace('event: samples\ndata: ', '')) as LiveSample[]).map(({ value }) => value),
      );
  return { body, stream: createLiveStream(body), events };
}

test('what changed while the snapshot was read comes after it, unless it is older', () => {
  const { stream, events } = given();
  stream.offer([sample(5), sample(6, 'other')]);
  stream.start([sample(3)]);
  expect(events()).toEqual([[5]]);
  stream.offer([sample(4)]);
  expect(events()).toEqual([]);
});

test('points that are not of the stream are not sent', () => {
  const { stream, events } = given();
  stream.start([sample(1)]);
  stream.offer([sample(9, 'foreign')]);
  expect(events()).toEqual([[1]]);
});

test('a reader that falls behind gets the newest value of each point, not a queue of old ones', async () => {
  const { body, stream } = given();
  stream.start(Array.from({ length: 6_000 }, (_, i) => sample(1, `p${i}`)));
  for (let second = 2; second < 10; second += 1) stream.offer([sample(second, 'p1')]);
  const caughtUp = new Promise<string>((resolve) => {
    let text = '';
    body.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.split('\n\n').length === 3) resolve(text);
    });
  });
  expect((await caughtUp).split('\n\n')[1]).toContain('"value":9');
});
