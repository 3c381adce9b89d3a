import type { ErrorReply } from '@parkline/contract';

/** Why a call gave no answer. `offline`: nothing came back at all; otherwise the server's own words and code. */
export class ApiError extends Error {
  readonly code: string;
  /** HTTP status; 0 when there was no reply. */
  readonly status: number;
  readonly details: unknown;

  constructor(status: number, reply: ErrorReply, options?: ErrorOptions) {
    super(reply.message, options);
    this.name = 'ApiError';
    this.status = status;
    this.code = reply.code;
    this.details = reply.details;
  }

  get offline(): boolean {
    return this.status === 0;
  }
}

const isErrorReply = (body: unknown): body is ErrorReply =>
  typeof body === 'object' && body !== null && 'code' in body && 'message' in body;

/** The error in a reply that is not ok, also when a proxy answered in place of our server. */
export async function errorOf(reply: Response): Promise<ApiError> {
  const body: unknown = await reply.json().catch(() => undefined);
  return new ApiError(
    reply.status,
    isErrorReply(body)
      ? body
      : { code: 'unreadable_reply', message: `${reply.status} ${reply.statusText}`.trim() },
  );
}
