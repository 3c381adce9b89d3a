export { allPermissions, type Permission, permissionsOf } from './permissions.ts';
export { createPasswords, type Passwords } from './password.ts';
export { type Area, audit, gate, people, sessions, type Technician } from './repository.ts';
export { createSessionKeeper, type SessionKeeper } from './session.ts';
export { runSessionSweep } from './sweep.ts';
export { identityRoutes } from './routes.ts';
