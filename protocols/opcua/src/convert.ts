import type * as library from 'node-opcua-client';
import type { DataValue } from 'node-opcua-client';
import type { Reading, Status } from './value.ts';

export type Library = typeof library;

/** @returns the reading, in plain words. */
export function readingOf({ DataType, VariantArrayType }: Library, given: DataValue): Reading {
  const { value, statusCode, sourceTimestamp } = given;
  return {
    type: DataType[value?.dataType ?? DataType.Null] ?? 'Null',
    isArray: value !== undefined && value.arrayType !== VariantArrayType.Scalar,
    value: value?.value as unknown,
    status: statusOf(statusCode),
    sourceAt: sourceTimestamp?.getTime(),
  };
}

export const statusOf = (status: { readonly name: string; readonly value: number }): Status => ({
  name: status.name,
  code: status.value,
});
