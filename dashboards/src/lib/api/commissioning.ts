import { hrefOf } from '@parkline/client';
import type { CommissioningBody, RolloutBody, SignAs } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

/** Where the photo of a nameplate goes to and comes from. */
export const nameplateUrl = (id: string): string => hrefOf('getCommissioningPhoto', { path: { id } });
/** Where a sealed report is downloaded: the paper, or paper and seal. */
export const reportFileUrl = (id: string, what: 'pdf' | 'file'): string =>
  hrefOf(what === 'pdf' ? 'getCommissioningReportPdf' : 'getCommissioningReportFile', { path: { id } });

/** Proofs of meters, the reports on them, and releases of the gateways' program. */
export function createCommissioningApi({ ask, list }: Caller) {
  return {
    meters: (signal?: Signal) => list('listCommissioning', {}, { signal }),
    meter: (id: string, signal?: Signal) => ask('getCommissioning', { path: { id } }, { signal }),
    recordMeter: (id: string, version: number, body: CommissioningBody) =>
      ask('replaceCommissioning', { path: { id }, body }, { version }),
    checkMeter: (id: string) => ask('checkCommissioning', { path: { id } }),
    waiveMeter: (id: string, reason: string) => ask('waiveCommissioning', { path: { id }, body: { reason } }),

    /** How far a gateway has come. */
    provisioningOf: (gatewayId: string, signal?: Signal) =>
      ask('getGateway', { path: { id: gatewayId } }, { signal }),

    reports: (signal?: Signal) => list('listCommissioningReports', {}, { signal }),
    makeReport: (gatewayId: string) => ask('createCommissioningReport', { body: { gatewayId } }),
    signReport: (id: string, as: SignAs) => ask('signCommissioningReport', { path: { id }, body: { as } }),

    latestUpdate: async (gatewayId: string, signal?: Signal) =>
      (await ask('getGatewayUpdate', { path: { id: gatewayId } }, { signal })).update,
    releases: (signal?: Signal) => list('listReleases', {}, { signal }),
    startRollout: (body: RolloutBody) => ask('createRollout', { body }),
    stopRollout: (id: string) => ask('stopRollout', { path: { id } }),
  };
}
