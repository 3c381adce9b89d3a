import type { GatewayEvent } from '@parkline/contract';
import type { ClientBase } from 'pg';

type ConfigEvent = Extract<GatewayEvent, { type: 'config' }>;

/**
 * Writes what a gateway says became of a configuration that was offered to it, in the transaction that stores its word. A text
 * that it has from elsewhere is none of ours and changes nothing.
 */
export async function saveConfigResults(
  client: ClientBase,
  gatewayId: string,
  events: readonly GatewayEvent[],
): Promise<void> {
  for (const event of events) if (event.type === 'config') await save(client, gatewayId, event);
}

async function save(client: ClientBase, gatewayId: string, { hash, state, why }: ConfigEvent): Promise<void> {
  const isEnd = state !== 'applied';
  const { rowCount } = await client.query(
    `update gateway_config c set state = $3, why = $4, ended_at = case when $5 then now() end
     where c.gateway_id = $1 and c.n = (
       select max(n) from gateway_config where gateway_id = $1 and sent_hash = $2)
       and not ($3 = 'applied' and c.state in ('kept', 'rolled-back', 'refused'))`,
    [gatewayId, hash, state, why, isEnd],
  );
  if (state === 'kept' && rowCount)
    await client.query('update gateway set configured_at = coalesce(configured_at, now()) where id = $1', [
      gatewayId,
    ]);
}
