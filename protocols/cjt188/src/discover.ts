import { DriverError, type FoundDevice } from '@parkline/kit';
import type { MeterLine } from '@parkline/kit/meters';
import { ANY_ADDRESS, ANY_TYPE, type Answer, type Asked, controls, findAnswer, question } from './frame.ts';

/** The meter's own address (CJ/T 188, "read address"). */
const ADDRESS = '810A';

/** Some meters know the wildcard for the address only, and want their kind named. */
const TYPES = [ANY_TYPE, '10', '20', '30'];

/**
 * Asks whoever is alone on the line for kind and address, in both byte orders of identifiers: the meter answers the one it speaks.
 * There is no way to search a line of several.
 */
export async function* discover(line: MeterLine, signal: AbortSignal): AsyncGenerator<FoundDevice> {
  let serial = 0;
  for (const asType of TYPES)
    for (const idOrder of ['low-first', 'high-first'] as const) {
      const asked: Asked = {
        ...{ type: asType, address: ANY_ADDRESS, idOrder },
        ...{ control: controls.readAddress, item: ADDRESS, serial: (serial += 1) },
      };
      const answer = await answered(line, asked, signal);
      if (answer?.kind !== 'data') continue;
      const { type, address } = answer;
      yield { params: { type, address, idOrder }, label: `meter ${address}`, facts: { type, address } };
      return;
    }
}

async function answered(line: MeterLine, asked: Asked, signal: AbortSignal): Promise<Answer | undefined> {
  try {
    const find = (bytes: Uint8Array): Answer | undefined => findAnswer(bytes, asked);
    const { answer } = await line.ask(
      { meter: ANY_ADDRESS, isSearch: true, bytes: question(asked), find },
      signal,
    );
    return answer;
  } catch (error) {
    if (error instanceof DriverError && error.code === 'timeout') return undefined;
    throw error;
  }
}
