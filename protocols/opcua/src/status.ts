import type { Status } from './value.ts';

/** What the status codes that people meet mean (OPC 10000-4 clause 7.39.2), and what to do. */
const words: Readonly<Record<string, string>> = {
  BadNodeIdUnknown: 'the server has no such variable: browse it for the address',
  BadNodeIdInvalid: 'the server cannot read this address',
  BadAttributeIdInvalid: 'the node is no variable',
  BadNotReadable: 'the variable cannot be read',
  BadNotWritable: 'the variable is read only',
  BadWriteNotSupported: 'the server takes no such write',
  BadUserAccessDenied: 'this login has no right to it: give it the right on the server',
  BadTypeMismatch: 'the variable is of another type than the server says',
  BadOutOfRange: 'the value is outside what the device takes',
  BadLocked: 'the variable is locked by another client',
  BadInvalidState: 'the device takes no value in the state that it is in',
  BadDeviceFailure: 'the device behind the server has failed',
  BadSensorFailure: 'the sensor has failed',
  BadNoCommunication: 'the server does not reach the device behind it',
  BadNotConnected: 'the variable is connected to nothing',
  BadCommunicationError: 'the server does not reach the device behind it',
  BadTimeout: 'the device behind the server did not answer it',
  BadResourceUnavailable: 'the server is too busy',
  BadTooManyOperations: 'the server takes fewer at once',
  BadHistoryOperationUnsupported: 'the server keeps no history of this variable',
  BadHistoryOperationInvalid: 'the server keeps no history of this variable',
  BadServiceUnsupported: 'the server has no such service',
  BadNoContinuationPoints: 'the server is handing out history to too many at once',
  BadContinuationPointInvalid: 'the server has forgotten where it was',
};

/** A status in words, with its name for whoever looks it up. */
export function wordsOf({ name }: Status): string {
  const base = name.split('#')[0]!; // The library adds the flags behind it.
  const text = Object.hasOwn(words, base) ? words[base] : undefined;
  return text === undefined ? name : `${text} (${base})`;
}
