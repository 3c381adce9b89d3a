import type { ProvisioningSteps } from '@parkline/contract';

/** A step of setting a gateway up; its name is a word under `gateways.step`. */
export interface SetUpStep {
  readonly name: 'code' | 'claimed' | 'trusted' | 'connected' | 'configured' | 'value';
  /** Instant (ISO 8601); null: still to come. */
  readonly at: string | null;
}

/**
 * What happened, in the order in which it did, and then what is still to come as it usually does: a gateway that was
 * mapped on site sends values before a configuration is sent to it. Pure.
 */
export function stepsOf(steps: ProvisioningSteps): SetUpStep[] {
  // Its keys were let in on the command line: it needs no code, and there never was one.
  const isByHand = steps.claimedAt !== null && steps.codeMadeAt === null;
  const entry: SetUpStep[] = isByHand
    ? [{ name: 'trusted', at: steps.claimedAt }]
    : [
        { name: 'code', at: steps.codeMadeAt },
        { name: 'claimed', at: steps.claimedAt },
      ];
  const usual: SetUpStep[] = [
    ...entry,
    { name: 'connected', at: steps.connectedAt },
    { name: 'configured', at: steps.configuredAt },
    { name: 'value', at: steps.firstValueAt },
  ];
  const timeOf = ({ at }: SetUpStep): number => (at === null ? Number.MAX_SAFE_INTEGER : Date.parse(at));
  return usual.toSorted((a, b) => timeOf(a) - timeOf(b));
}
