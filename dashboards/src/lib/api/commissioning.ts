import type {
  Commissioning,
  CommissioningBody,
  CommissioningReport,
  GatewayIdentityView,
  LatestUpdate,
  Release,
  Rollout,
  RolloutBody,
  SignAs,
} from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

const meter = (id: string): string => `/api/commissioning/${encodeURIComponent(id)}`;
const report = (id: string): string => `/api/commissioning-reports/${encodeURIComponent(id)}`;

/** Where the photo of a nameplate goes to and comes from. */
export const nameplateUrl = (id: string): string => `${meter(id)}/photo`;
/** Where a sealed report is downloaded: the paper, or paper and seal. */
export const reportFileUrl = (id: string, what: 'pdf' | 'file'): string => `${report(id)}/${what}`;

/** Proofs of meters, the reports on them, and releases of the gateways' program. */
export function createCommissioningApi({ call }: Caller) {
  return {
    meters: async (signal?: Signal) =>
      (await call<Listing<Commissioning>>('/api/commissioning', { signal })).items,
    meter: (id: string, signal?: Signal) => call<Commissioning>(meter(id), { signal }),
    recordMeter: (id: string, version: number, body: CommissioningBody) =>
      call<Commissioning>(meter(id), { method: 'PUT', body, version }),
    checkMeter: (id: string) => call<Commissioning>(`${meter(id)}/check`, { method: 'POST' }),
    waiveMeter: (id: string, reason: string) =>
      call<Commissioning>(`${meter(id)}/waive`, { method: 'POST', body: { reason } }),

    /** How far a gateway has come. */
    provisioningOf: (gatewayId: string, signal?: Signal) =>
      call<GatewayIdentityView>(`/api/gateways/${encodeURIComponent(gatewayId)}`, { signal }),

    reports: async (signal?: Signal) =>
      (await call<Listing<CommissioningReport>>('/api/commissioning-reports', { signal })).items,
    makeReport: (gatewayId: string) =>
      call<CommissioningReport>('/api/commissioning-reports', { method: 'POST', body: { gatewayId } }),
    signReport: (id: string, as: SignAs) =>
      call<CommissioningReport>(`${report(id)}/sign`, { method: 'POST', body: { as } }),

    latestUpdate: async (gatewayId: string, signal?: Signal) =>
      (await call<LatestUpdate>(`/api/gateways/${encodeURIComponent(gatewayId)}/update`, { signal })).update,
    releases: async (signal?: Signal) => (await call<Listing<Release>>('/api/releases', { signal })).items,
    startRollout: (body: RolloutBody) => call<Rollout>('/api/rollouts', { method: 'POST', body }),
    stopRollout: (id: string) =>
      call<Rollout>(`/api/rollouts/${encodeURIComponent(id)}/stop`, { method: 'POST' }),
  };
}
