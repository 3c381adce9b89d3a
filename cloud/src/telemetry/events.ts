import type { GatewayEvent, UplinkHeader } from '@parkline/contract';
import type { ClientBase } from 'pg';

/**
 * Writes what a gateway reports beside its samples. Whatever it says is about itself: the gateway is the one whose key signed
 * the message. An event that is there already stays as it is. @returns the events that are news.
 */
export async function saveEvents(
  client: ClientBase,
  { gatewayId }: UplinkHeader,
  events: readonly GatewayEvent[],
): Promise<GatewayEvent[]> {
  const { rows } = await client.query<{ id: string }>(
    `insert into gateway_event (id, account_id, gateway_id, type, at, body)
     select (e->>'id')::uuid, g.account_id, g.id, e->>'type', to_timestamp((e->>'at')::float8 / 1000), e
     from gateway g, jsonb_array_elements($2::jsonb) e
     where g.id = $1
     on conflict (gateway_id, id) do nothing returning id`,
    [gatewayId, JSON.stringify(events)],
  );
  const news = new Set(rows.map(({ id }) => id));
  return events.filter(({ id }) => news.has(id));
}
