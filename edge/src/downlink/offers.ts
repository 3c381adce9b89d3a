import { ConfigOffer, UpdateOffer } from '@parkline/contract';
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

export interface UpdateOffersDeps extends SignedAddress {
  readonly faults: FaultLog;
  readonly onOffer: (offer: UpdateOffer) => void;
}

/** The same for messages that claim to offer a release. Never throws. */
export const createUpdateOffers =
  ({ faults, onOffer, ...us }: UpdateOffersDeps): ((bytes: Uint8Array) => void) =>
  (bytes) => {
    const checked = readSigned(UpdateOffer, bytes, us);
    if (checked.ok) onOffer(checked.body);
    else faults.fault('update-refused', 'offer of a release refused', { why: checked.why });
  };
