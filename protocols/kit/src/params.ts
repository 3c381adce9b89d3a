import { DriverError } from './errors.ts';

/** What a schema says against parameters; the errors of typebox have this shape. */
export interface SchemaFault {
  readonly keyword: string;
  /** JSON pointer: '/whoIs/0/port'. */
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/** Every fault of a driver's parameters in one error 'config', each by its field. */
export function paramsError(faults: readonly SchemaFault[], where: string): DriverError {
  const choices = new Set(faults.filter(({ keyword }) => keyword === 'anyOf').map(pathOf));
  const texts = faults.flatMap((fault) => {
    const path = pathOf(fault);
    // An unknown key is said twice, once by name; a choice once for each of its members.
    if (fault.keyword === 'additionalProperties') return [];
    if (fault.keyword === 'boolean') return [`${path} is no parameter`];
    if (fault.keyword === 'const' && choices.has(path)) return [];
    if (fault.keyword === 'anyOf') return [`${path} must be one of ${membersOf(faults, path).join(', ')}`];
    return [`${path} ${fault.message}`];
  });
  return new DriverError('config', texts.join('; '), where);
}

const pathOf = ({ instancePath }: SchemaFault): string => instancePath.slice(1) || 'params';

const membersOf = (faults: readonly SchemaFault[], path: string): string[] =>
  faults
    .filter((fault) => fault.keyword === 'const' && pathOf(fault) === path)
    .map(({ params }) => String((params as { allowedValue?: unknown }).allowedValue));
