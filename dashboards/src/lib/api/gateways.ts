import type { GatewayBody } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

const decisions = { accept: 'acceptGatewayMapping', reject: 'rejectGatewayMapping' } as const;

/** Gateways as they are administered: added, let in, configured, thrown out. */
export function createGatewayApi({ ask, list }: Caller) {
  return {
    gateway: (id: string, signal?: Signal) => ask('getGateway', { path: { id } }, { signal }),
    addGateway: (body: GatewayBody) => ask('createGateway', { body }),
    claimCodes: (id: string, signal?: Signal) => list('listGatewayClaimCodes', { path: { id } }, { signal }),
    makeClaimCode: (id: string, hours: number) =>
      ask('createGatewayClaimCode', { path: { id }, body: { hours } }),
    revokeClaimCode: (id: string, codeId: string) => ask('deleteGatewayClaimCode', { path: { id, codeId } }),
    revokeGateway: (id: string, name: string) => ask('revokeGateway', { path: { id }, body: { name } }),
    rotateGateway: (id: string) => ask('rotateGateway', { path: { id } }),
    gatewayConfigs: (id: string, signal?: Signal) => list('listGatewayConfigs', { path: { id } }, { signal }),
    diffGatewayConfig: (id: string) => ask('diffGatewayConfig', { path: { id }, body: {} }),
    offerGatewayConfig: (id: string) => ask('createGatewayConfig', { path: { id }, body: {} }),
    gatewayMappings: (id: string, signal?: Signal) =>
      list('listGatewayMappings', { path: { id } }, { signal }),
    decideMapping: (id: string, mappingId: string, how: keyof typeof decisions) =>
      ask(decisions[how], { path: { id, mappingId } }),
    gatewayLog: (id: string, lines: number) => ask('readGatewayLog', { path: { id }, body: { lines } }),
  };
}
