export { allPermissions } from './permissions.ts';
export { createPasswords, type Passwords } from './password.ts';
export { audit, gate, people, sessions } from './repository.ts';
export { createSessionKeeper } from './session.ts';
export { runSessionSweep } from './sweep.ts';
export { identityRoutes } from './routes.ts';
