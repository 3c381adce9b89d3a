import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { createSend } from './send.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answer: Answer = (_request, response) => void response.end('ok');
let calls = 0;
const server = createServer((request, response) => {
  calls += 1;
  answer(request, response);
});
await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
afterAll(() => server.close());
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;

const signal = new AbortController().signal;
const sending = { url, headers: { 'x-a': '1', 'content-type': 'application/json' }, body: '{"é":1}' };
const send = createSend({ allowPrivate: true, timeoutMs: 500 });

test('a body is posted as it is, with its headers', async () => {
  const seen = new Promise<unknown>((resolve) => {
    answer = (request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => (text += part));
      request.on('end', () => {
        resolve([request.method, request.headers['x-a'], text]);
        response.writeHead(202).end('thanks');
      });
    };
  });
  expect(await send(sending, signal)).toEqual({ status: 202, reply: 'thanks', error: null });
  expect(await seen).toEqual(['POST', '1', '{"é":1}']);
});

test('a redirect is a refusal, and is not followed', async () => {
  const before = calls;
  answer = (_request, response) => void response.writeHead(302, { location: url }).end();
  expect(await send(sending, signal)).toEqual({ status: 302, reply: '', error: 'HTTP 302' });
  expect(calls).toBe(before + 1);
});

test('no more of an answer is read than is kept', async () => {
  answer = (_request, response) => {
    response.writeHead(500);
    const pour = (): void => {
      if (!response.destroyed && response.write('x\0'.repeat(5_000))) setImmediate(pour);
      else response.once('drain', pour);
    };
    pour();
  };
  const { status, reply, error } = await send(sending, signal);
  expect([status, reply?.length, reply?.slice(0, 2), error]).toEqual([500, 1_000, 'x�', 'HTTP 500']);
});

test('who does not answer in time has not answered', async () => {
  answer = () => undefined;
  expect((await send(sending, signal)).error).toBe('no answer within 0.5 s');
});

test('without the allowance nothing on this machine is reached, by address or by a name that turns to it', async () => {
  const before = calls;
  answer = (_request, response) => void response.end('inner');
  const strict = createSend({
    allowPrivate: false,
    resolve: (_name, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
  });
  expect((await strict(sending, signal)).error).toBe('the address must be https');
  const { port } = server.address() as AddressInfo;
  const turned = await strict({ ...sending, url: `https://name.example:${port}/` }, signal);
  expect(turned.error).toBe('name.example is at 127.0.0.1, which is not a public address');
  const inner = await strict({ ...sending, url: `https://127.0.0.1:${port}/` }, signal);
  expect(inner.error).toBe('the address is not a public address');
  expect(calls).toBe(before);
});
