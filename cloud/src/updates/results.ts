import type { GatewayEvent } from '@parkline/contract';
import type { ClientBase } from 'pg';

/**
 * Writes what gateways say became of releases, in the transaction that stores their word. A gateway only speaks of itself; what it
 * says of a release that it was never offered changes nothing, and an end stays an end.
 */
export async function saveUpdateResults(
  client: ClientBase,
  gatewayId: string,
  events: readonly GatewayEvent[],
): Promise<void> {
  for (const event of events) {
    if (event.type !== 'update') continue;
    const { release, state, why } = event;
    await client.query(
      `update gateway_update u set state = $3, why = nullif($4, ''), changed_at = now()
       where u.id = (
         select g.id from gateway_update g join rollout o on o.id = g.rollout_id join release r on r.id = o.release_id
         where g.gateway_id = $1 and r.manifest_sha256 = $2 order by g.id desc limit 1
       ) and u.state not in ('kept', 'rolled_back', 'refused', 'failed', 'overtaken')`,
      [gatewayId, release, state.replace('-', '_'), why],
    );
  }
}
