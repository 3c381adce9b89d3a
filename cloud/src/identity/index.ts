export { audit, type AuditEntry, type AuditRow, auditTrail, verifyAudit } from './audit.ts';
export { allPermissions, type Permission, permissionsOf, strongPermissions } from './permissions.ts';
export { createPasswords, type Passwords } from './password.ts';
export { type Area, gate, people, type Technician } from './repository.ts';
export { createSessionKeeper, type SecondFactorRule, type SessionKeeper } from './session.ts';
export { type IdleTimes, sessions } from './session-store.ts';
export { runSessionSweep } from './sweep.ts';
export { identityRoutes } from './routes.ts';
