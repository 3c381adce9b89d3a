import { admin, type Routes } from './routes.ts';

const tenantAdmin = ['tenant_admin'] as const;
const token = 'x'.repeat(43);
const grants = [{ role: 'guard' as const }];
const employee = [{ role: 'tenant_employee' as const }];

export const people: Routes = {
  'GET /api/people': { who: admin },
  'POST /api/people': { who: admin, body: { login: 'somebody-else', name: 'Somebody', grants } },
  'GET /api/people/:id': { who: admin },
  'PATCH /api/people/:id': { who: admin, body: { name: 'Another name' } },
  'POST /api/people/:id/disable': { who: admin },
  'POST /api/people/:id/enable': { who: admin },
  'POST /api/people/:id/reset-second-factor': { who: admin },
  'POST /api/people/:id/password-link': { who: admin },
  'POST /api/people/:id/grants': { who: admin, body: { role: 'technician' } },
  'DELETE /api/people/:id/grants/:grantId': { who: admin },
  'GET /api/invitations': { who: admin },
  'POST /api/invitations': { who: admin, body: { email: 'an@example.org', name: 'An', grants } },
  'POST /api/invitations/:id/resend': { who: admin },
  'POST /api/invitations/:id/revoke': { who: admin },
  'GET /api/mail-setup': { who: admin },

  'GET /api/my/people': { who: tenantAdmin },
  'POST /api/my/people': { who: tenantAdmin, body: { login: 'colleague', name: 'Col', grants: employee } },
  'GET /api/my/people/:id': { who: tenantAdmin },
  'PATCH /api/my/people/:id': { who: tenantAdmin, body: { name: 'Another name' } },
  'POST /api/my/people/:id/disable': { who: tenantAdmin },
  'POST /api/my/people/:id/enable': { who: tenantAdmin },
  'POST /api/my/people/:id/reset-second-factor': { who: tenantAdmin },
  'POST /api/my/people/:id/grants': { who: tenantAdmin, body: { role: 'tenant_admin' } },
  'DELETE /api/my/people/:id/grants/:grantId': { who: tenantAdmin },
  'GET /api/my/invitations': { who: tenantAdmin },
  'POST /api/my/invitations': {
    who: tenantAdmin,
    body: { email: 'bo@example.org', name: 'Bo', grants: employee },
  },
  'POST /api/my/invitations/:id/resend': { who: tenantAdmin },
  'POST /api/my/invitations/:id/revoke': { who: tenantAdmin },

  'GET /api/people/:id/export': { who: admin },
  'POST /api/people/:id/erase': { who: admin, body: { name: 'Not the name' }, own: [400] },
  'GET /api/me/export': { who: 'whoever is logged in' },

  'GET /api/identity-providers': { who: admin },
  'GET /api/identity-provider-setup': { who: admin },
  'POST /api/identity-providers': {
    ...{ who: admin, own: [400] },
    body: { name: 'Nowhere', issuer: 'http://127.0.0.1:9', clientId: 'x' },
  },
  'PATCH /api/identity-providers/:id': { who: admin, body: { name: 'Other' } },
  'DELETE /api/identity-providers/:id': { who: admin },
  'GET /api/login/providers': { who: 'anyone' },
  'GET /api/login/oidc/:id': { who: 'anyone' },
  'GET /api/login/oidc/callback': { who: 'anyone' },
  'GET /api/me/login-links': { who: 'whoever is logged in' },
  'POST /api/me/login-links': { who: 'whoever is logged in' },
  'DELETE /api/me/login-links/:id': { who: 'whoever is logged in' },

  'POST /api/invitation': { who: 'anyone', body: { token } },
  'POST /api/invitation/accept': { who: 'anyone', body: { token, password: 'a long password' } },
  'POST /api/password-reset': { who: 'anyone', body: { login: 'nobody' } },
  'POST /api/password-reset/complete': { who: 'anyone', body: { token, password: 'a long password' } },
};
