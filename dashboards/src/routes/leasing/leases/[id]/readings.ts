import type { HandoverMeter, MoveBody } from '@parkline/contract';

type Readings = NonNullable<MoveBody['readings']>;

/** What meters show, in whole counts of their registers; those that nobody read are left out. Pure. */
export function readingsOf(
  meters: readonly HandoverMeter[],
  typed: Readonly<Record<string, string>>,
): { readonly readings: Readings; readonly wrong: ReadonlySet<string> } {
  const readings: Readings = [];
  const wrong = new Set<string>();
  for (const { id, resolution } of meters) {
    const text = (typed[id] ?? '').trim();
    if (text === '') continue;
    const counts = countsOf(text, resolution);
    if (counts === undefined) wrong.add(id);
    else readings.push({ usagePointId: id, counts });
  }
  return { readings, wrong };
}

/** `1,248.5` at 0.1 is 12485 counts; undefined for what such a register cannot show. */
function countsOf(text: string, resolution: number): number | undefined {
  const plain = text.replaceAll(/[,，\s](?=\d{3}(?!\d))/g, '');
  if (!/^\d{1,15}(?:\.\d{1,6})?$/.test(plain)) return undefined;
  const counts = Math.round(Number(plain) / resolution);
  // Beyond the noise of the division a digit is left that the register does not have.
  const isShown = Math.abs(counts * resolution - Number(plain)) < resolution * 1e-6;
  return isShown && Number.isSafeInteger(counts) ? counts : undefined;
}
