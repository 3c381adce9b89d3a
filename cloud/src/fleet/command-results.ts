import type { GatewayEvent } from '@parkline/contract';
import type { ClientBase } from 'pg';
import { notifyChangedOn } from '../platform/changes.ts';

type CommandEvent = Extract<GatewayEvent, { type: 'command' }>;

/**
 * Writes what a gateway says became of its commands, in the transaction that stores its word, so exactly once. The write's result
 * and the giving back come in either order. What it says of a command that was not for it and that point changes nothing.
 */
export async function saveCommandResults(
  client: ClientBase,
  gatewayId: string,
  events: readonly GatewayEvent[],
): Promise<void> {
  for (const event of events) if (event.type === 'command') await saveResult(client, gatewayId, event);
}

async function saveResult(client: ClientBase, gatewayId: string, event: CommandEvent): Promise<void> {
  const accountId = await applied(client, gatewayId, event);
  if (accountId === undefined) return;
  const { commandId, pointId, outcome, before, after, why } = event;
  if (outcome === 'done' || outcome === 'overridden' || outcome === 'differs')
    await client.query(
      `update command set held_until = null
       where account_id = $1 and point_id = $2 and id < $3 and held_until is not null`,
      [accountId, pointId, commandId],
    );
  await client.query(
    `insert into audit_event (account_id, at, subject_id, action, content, result, reason)
     values ($1, now(), $2, $3, $4, $5, $6)`,
    [
      accountId,
      commandId,
      `command.result.${outcome}`,
      JSON.stringify({ details: { before, after, why, at: event.at, pointId } }),
      ...(outcome === 'refused' ? ['refused', codeOf(why)] : ['done', null]),
    ],
  );
  await notifyChangedOn(client, accountId, 'commands');
}

/** Of `<code>: <sentence>`. */
const codeOf = (why: string): string => /^([a-z_-]{1,80}): /.exec(why)?.[1] ?? 'gateway';

/** @returns the account of the command; undefined when there is none that this could be about. */
async function applied(
  client: ClientBase,
  gatewayId: string,
  { commandId, pointId, outcome, before, after, why, at }: CommandEvent,
): Promise<string | undefined> {
  const whose = [commandId, gatewayId, pointId, why || null];
  const told =
    outcome === 'released'
      ? { text: released, values: [...whose, at] }
      : isStay(why)
        ? { text: stays, values: whose }
        : { text: ended, values: [...whose, at, outcome, before, after] };
  const { rows } = await client.query<{ account_id: string }>(told.text, told.values);
  return rows[0]?.account_id;
}

/** The hold is over and the point was not given back: not the result of the write. */
const isStay = (why: string): boolean => why.startsWith('stays: ');

const of = 'where id = $1 and gateway_id = $2 and point_id = $3';
const moment = 'to_timestamp($5::float8 / 1000)';

const ended = `update command set state = case when state = 'released' then state else $6 end,
    outcome = $6, before_value = $7, after_value = $8, why = coalesce($4, case when state = 'released' then why end),
    ended_at = ${moment}, due_at = null,
    held_until = case when state <> 'released' and $6 in ('done', 'overridden', 'differs', 'failed') and value is not null
      then ${moment} + make_interval(secs => hold_s) end
  ${of} and outcome is null returning account_id`;

const released = `update command set state = 'released', released_at = ${moment}, held_until = null, due_at = null,
    why = coalesce($4, why) ${of} and released_at is null returning account_id`;

const stays = `update command set held_until = null, why = $4 ${of} returning account_id`;
