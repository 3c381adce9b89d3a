import type {
  ClaimCode,
  GatewayBody,
  GatewayConfigDiff,
  GatewayConfigText,
  GatewayConfigView,
  GatewayIdentityView,
  GatewayLog,
  GatewayMapping,
  NewClaimCode,
} from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

const gateway = (id: string): string => `/api/gateways/${encodeURIComponent(id)}`;

/** Gateways as they are administered: added, let in, configured, thrown out. */
export function createGatewayApi({ call }: Caller) {
  const post = <T>(path: string, body?: object) => call<T>(path, { method: 'POST', ...(body && { body }) });
  const items = async <T>(path: string, signal: Signal) => (await call<Listing<T>>(path, { signal })).items;
  return {
    gateway: (id: string, signal?: Signal) => call<GatewayIdentityView>(gateway(id), { signal }),
    addGateway: (body: GatewayBody) => post<GatewayIdentityView>('/api/gateways', body),
    claimCodes: (id: string, signal?: Signal) => items<ClaimCode>(`${gateway(id)}/claim-codes`, signal),
    makeClaimCode: (id: string, hours: number) => post<NewClaimCode>(`${gateway(id)}/claim-codes`, { hours }),
    revokeClaimCode: (id: string, codeId: string) =>
      call<undefined>(`${gateway(id)}/claim-codes/${encodeURIComponent(codeId)}`, { method: 'DELETE' }),
    revokeGateway: (id: string, name: string) => post<GatewayIdentityView>(`${gateway(id)}/revoke`, { name }),
    rotateGateway: (id: string) => post<GatewayIdentityView>(`${gateway(id)}/rotate`),
    gatewayConfigs: (id: string, signal?: Signal) =>
      items<GatewayConfigView>(`${gateway(id)}/configs`, signal),
    diffGatewayConfig: (id: string) => post<GatewayConfigDiff>(`${gateway(id)}/config-diff`, {}),
    offerGatewayConfig: (id: string) => post<GatewayConfigText>(`${gateway(id)}/configs`, {}),
    gatewayMappings: (id: string, signal?: Signal) =>
      items<GatewayMapping>(`${gateway(id)}/mappings`, signal),
    decideMapping: (id: string, mappingId: string, how: 'accept' | 'reject') =>
      post<GatewayMapping>(`${gateway(id)}/mappings/${encodeURIComponent(mappingId)}/${how}`),
    gatewayLog: (id: string, lines: number) => post<GatewayLog>(`${gateway(id)}/logs`, { lines }),
  };
}
