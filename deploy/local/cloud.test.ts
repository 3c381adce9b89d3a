import { expect, test } from 'vitest';
import { outside } from './cloud.ts';

test('the cloud is told where people come in, and what whoever starts it says of the world around', () => {
  const env = {
    WEBHOOK_ALLOW_PRIVATE: 'true',
    MAIL_URL: 'smtp://127.0.0.1:25',
    OIDC_ALLOW_HOSTS: '',
    OTHER: 'x',
  };
  expect(outside({ env, options: { host: '127.0.0.1' } }, 8080)).toEqual({
    PUBLIC_URL: 'http://localhost:8080',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    MAIL_URL: 'smtp://127.0.0.1:25',
  });
  expect(outside({ env: {}, options: { host: '0.0.0.0' } }, 8080)).toEqual({});
});
