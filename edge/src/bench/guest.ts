/** How somebody beside a gateway uses a connection of the gateway. */
export interface Guest {
  /** Parameters of the connection. */
  readonly params: unknown;
  /** Comes by another name: what the gateway keeps for this connection is none of its business. */
  readonly isStranger: boolean;
  /** Stands in for the gateway: what is told now, and what was kept of all its devices, must still be there for it. */
  readonly isStandIn: boolean;
}

/**
 * How to look beside the gateway without taking anything from it. A broker knows its clients by name: whoever came by the
 * gateway's own would end its connection and get the messages that are kept for it.
 */
export function asGuest(protocol: string, params: unknown): Guest {
  if (protocol !== 'mqtt') return { params, isStranger: false, isStandIn: false };
  const { clientId: _gateways, ...rest } = params as Record<string, unknown>;
  return rest['mode'] === 'client'
    ? { params: { ...rest, cleanSession: true }, isStranger: true, isStandIn: false }
    : { params, isStranger: false, isStandIn: true };
}
