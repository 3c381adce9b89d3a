import { DriverError } from '@parkline/kit';
import type { Identity } from './identity.ts';
import type { Link } from './link.ts';
import type { ConnectionParams } from './params.ts';
import { wordsOf } from './status.ts';

export interface Circumstances {
  readonly where: string;
  readonly params: Pick<ConnectionParams, 'securityMode' | 'securityPolicy' | 'user' | 'userCertificate'>;
  readonly identity: Pick<Identity, 'fingerprint' | 'path'>;
  /** Why the server's certificate was refused, if it was. */
  readonly refusal: string | undefined;
}

/** What went wrong while a session was opened, in words that say what to do. The library has only texts to tell them apart. */
export function explain(error: unknown, { where, params, identity, refusal }: Circumstances): DriverError {
  if (error instanceof DriverError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const of = (code: 'lost' | 'refused' | 'config', message: string): DriverError =>
    new DriverError(code, message, where, { cause: error });

  if (refusal !== undefined) return of('config', refusal);
  if (/Cannot find an Endpoint matching/i.test(text)) {
    const { securityPolicy, securityMode } = params;
    return of(
      'config',
      `the server offers no endpoint with ${securityPolicy} and ${securityMode}: switch it on there, or choose what it offers`,
    );
  }
  if (/BadUserAccessDenied|BadIdentityToken|BadUserSignatureInvalid|user token policy/i.test(text))
    return of('refused', refusedLogin(params));
  if (params.userCertificate !== undefined && /BadCertificateUntrusted/.test(text))
    return of('refused', refusedLogin(params));
  if (/BadSecurityChecksFailed|BadCertificate/.test(text))
    return of(
      'refused',
      `the server does not trust this gateway: accept the certificate with SHA-256 ${identity.fingerprint} there (${identity.path})`,
    );
  return of('lost', `no session with the server: ${firstLine(text)}`);
}

function refusedLogin({ user, userCertificate }: Circumstances['params']): string {
  if (userCertificate !== undefined)
    return `the server does not let the owner of ${userCertificate} in: accept that certificate there as a user's`;
  if (user !== undefined) return `the server does not let user ${user} in: check user and password`;
  return 'the server lets nobody in without a login: set user and password, or userCertificate and userKey';
}

/** The library draws frames round some of its messages. */
const firstLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(0, 3)
    .join(' ');

/** What a server says that is there and will not do a whole request. */
const refusals =
  /\bBad(ServiceUnsupported|TooManyOperations|NothingToDo|UserAccessDenied|NotSupported|RequestTooLarge|ResponseTooLarge|EncodingLimitsExceeded|HistoryOperation(Unsupported|Invalid))\b/;

/** A request that failed as a whole: the link broke under it, or the server would not answer it. */
export function failureOf(error: unknown, { down }: Pick<Link, 'down'>, where: string): DriverError {
  if (error instanceof DriverError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (down === undefined && /timed out/i.test(text))
    return new DriverError('timeout', 'the server did not answer', where, { cause: error });
  const [fault] = refusals.exec(text) ?? [];
  if (down === undefined && fault !== undefined)
    return new DriverError('refused', wordsOf({ name: fault, code: 0 }), where, { cause: error });
  return new DriverError('lost', down ?? text, where, { cause: error });
}
