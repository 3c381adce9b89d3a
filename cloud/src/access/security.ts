import { engineer, type Routes } from './routes.ts';

const whoever = { who: 'whoever is logged in' } as const;

export const security: Routes = {
  'GET /api/me/second-factors': whoever,
  'POST /api/me/second-factors/totp': whoever,
  'POST /api/me/second-factors/totp/:id/confirm': { ...whoever, body: { code: '123456' } },
  'POST /api/me/second-factors/passkey/options': whoever,
  'POST /api/me/second-factors/passkey': whoever,
  'DELETE /api/me/second-factors/:id': whoever,
  'POST /api/me/recovery-codes': whoever,
  'POST /api/me/second-factor/code': whoever,
  'POST /api/me/second-factor/passkey/options': whoever,
  'POST /api/me/second-factor/passkey': whoever,
  'GET /api/me/sessions': whoever,
  'DELETE /api/me/sessions': whoever,
  'DELETE /api/me/sessions/:id': whoever,
  'POST /api/me/password': whoever,
  'GET /api/display-tokens': { who: engineer },
  'POST /api/display-tokens': { who: engineer, body: { name: 'Lobby', days: 7 } },
  // The first who revokes it finds it.
  'DELETE /api/display-tokens/:id': { who: engineer, own: [204, 404] },
};
