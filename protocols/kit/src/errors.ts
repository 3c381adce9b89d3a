/** timeout: no whole answer in time. lost: the link broke. refused: the device said no. garbage: bytes that are no answer. config: our own parameters. */
export type DriverErrorCode = 'timeout' | 'lost' | 'refused' | 'garbage' | 'config' | 'aborted';

/** A failure of the bus or the device. `where` names the connection and unit for the person who reads it. */
export class DriverError extends Error {
  readonly code: DriverErrorCode;
  readonly where: string;

  constructor(code: DriverErrorCode, message: string, where: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'DriverError';
    this.code = code;
    this.where = where;
  }
}
