import { ConfigOffer } from '@parkline/contract';
import type { FaultLog } from '../base/fault-log.ts';
import { readSigned, type SignedAddress } from './signed.ts';

export interface OffersDeps extends SignedAddress {
  readonly faults: FaultLog;
  readonly onOffer: (offer: ConfigOffer) => void;
}

/** Takes every message that claims to be a configuration; passes on what the cloud signed for this gateway. Never throws. */
export const createOffers =
  ({ faults, onOffer, ...us }: OffersDeps): ((bytes: Uint8Array) => void) =>
  (bytes) => {
    const checked = readSigned(ConfigOffer, bytes, us);
    if (checked.ok) onOffer(checked.body);
    else faults.fault('config-refused', 'configuration refused', { why: checked.why });
  };
