// Rows of what happens in a park and what is made of it, as `givenFullAccount` puts them into an account.
import type { Pool } from 'pg';
import { newId } from './platform/ids.ts';
import { AT, insert, words } from './testing-insert.ts';

export async function givenReadings(pool: Pool, account_id: string, equipment_id: string): Promise<string> {
  const { rows } = await pool.query<{ id: string; num: number; gateway: string }>(
    `select p.id, p.num, e.gateway_id as gateway from point p join equipment e on e.id = p.equipment_id
     where p.equipment_id = $1 order by p.num limit 1`,
    [equipment_id],
  );
  const { id, num: point_num, gateway } = rows[0]!;
  const value = { point_num, ts: AT, value: 21, quality: 0, flags: 0 };
  await pool.query('select reading_ensure(array[$1::timestamptz])', [AT]);
  await insert(pool, 'reading', value);
  await insert(pool, 'point_latest', { ...value, account_id });
  await insert(pool, 'gateway_status', { gateway_id: gateway, account_id, heard_at: AT });
  await insert(pool, 'device_status', { equipment_id, account_id, state: 'online', reported_at: AT });
  return id;
}

export async function givenWork(
  pool: Pool,
  {
    accountId,
    equipment,
    building,
    technician,
  }: Record<'accountId' | 'equipment' | 'building' | 'technician', string>,
) {
  const [fault, order, photo] = [newId(), newId(), newId()];
  const of = { account_id: accountId, equipment_id: equipment, building_id: building };
  await insert(pool, 'fault', {
    ...{ ...of, id: fault, rule: 'device-offline', severity: 'warning', subject_id: equipment },
    ...{ point_ids: [], evidence: { values: {}, forS: 0 }, opened_at: AT },
  });
  await insert(pool, 'work_order', {
    ...{
      ...of,
      id: order,
      year: 2026,
      seq: 1,
      title: words('Look at it'),
      state: 'accepted',
      severity: 'warning',
    },
    ...{
      skill: 'hvac',
      fault_id: fault,
      technician_id: technician,
      created_at: AT,
      accepted_at: AT,
      version: 1,
    },
  });
  const hash = `\\x${'00'.repeat(32)}`;
  await insert(pool, 'file', {
    ...{ id: photo, account_id: accountId, media_type: 'image/webp', width: 1, height: 1, sha256: hash },
    ...{ source_sha256: hash, bytes: '\\x00', created_at: AT, person_id: technician },
  });
  await insert(pool, 'work_order_photo', {
    ...{
      account_id: accountId,
      order_id: order,
      file_id: photo,
      kind: 'before',
      source_sha256: hash,
      at: AT,
    },
  });
  return { '/api/faults': fault, '/api/work-orders': order, ':photoId': photo };
}

/** It waits for a second person; a technician cannot have asked for it, so nobody else is that person. */
export async function givenCommand(pool: Pool, account_id: string, point_id: string, actor_id: string) {
  const id = newId();
  const { rows } = await pool.query<{ equipment_id: string; gateway_id: string }>(
    `select e.id as equipment_id, e.gateway_id from point p join equipment e on e.id = p.equipment_id where p.id = $1`,
    [point_id],
  );
  await insert(pool, 'command', {
    ...{ ...rows[0], id, account_id, point_id, actor_id, actor_name: 'Somebody', requested_at: AT },
    ...{ value: 1, reason: 'to see', safety: true, state: 'awaiting_approval' },
  });
  await insert(pool, 'audit_event', {
    ...{ account_id, at: AT, subject_id: id, action: 'command.requested', content: {} },
  });
  return id;
}

export async function givenBill(pool: Pool, account_id: string) {
  const [run, statement, line] = [newId(), newId(), newId()];
  const zeros = {
    supply_kwh: 1,
    supply_energy: 1,
    supply_demand: 0,
    supply_power_factor: 0,
    supply_total: 1,
  };
  await insert(pool, 'billing_run', {
    ...{ id: run, account_id, site_name: 'Mill', timezone: 'Asia/Shanghai', currency: 'CNY', checks: [] },
    ...{
      from_date: '2026-10-01',
      to_date: '2026-11-01',
      interval_ms: 900_000,
      state: 'draft',
      created_at: AT,
    },
    ...{ inputs_hash: 'ab'.repeat(32), ...zeros },
  });
  await insert(pool, 'statement', {
    ...{ id: statement, account_id, run_id: run, ord: 0, party: 'Atelier', kind: 'tenant', kwh: 1 },
    ...{ estimated_kwh: 0, net: 1, tax: 0, total: 1 },
  });
  await insert(pool, 'statement_line', {
    ...{ id: line, account_id, run_id: run, statement_id: statement, ord: 0, kind: 'energy', amount: 1 },
    ...{ formula: '1 x 1', pool_lines: [], usage_points: [], meters: [], intervals: 0 },
  });
  return { '/api/billing-runs': run, '/api/statements': statement, '/api/statement-lines': line };
}

/** Offered to one gateway. */
export async function givenRollout(pool: Pool, account_id: string, by: string): Promise<string> {
  const [release, id] = [newId(), newId()];
  const { rows } = await pool.query<{ id: string }>('select id from gateway where account_id = $1', [
    account_id,
  ]);
  await insert(pool, 'release', {
    ...{ id: release, account_id, version: '1.0.0', platforms: ['linux-x64'], manifest: '{}', signature: '' },
    ...{ manifest_sha256: 'ab'.repeat(32), pack_sha256: 'cd'.repeat(32), pack_bytes: 1, chunks: 1 },
    ...{ made_at: AT, uploaded_at: AT, uploaded_by: by },
  });
  await insert(pool, 'release_chunk', { account_id, release_id: release, n: 0, bytes: '\\x00' });
  const rollout = { id, account_id, release_id: release, state: 'running', created_at: AT, created_by: by };
  await insert(pool, 'rollout', rollout);
  await insert(pool, 'gateway_update', {
    ...{ id: newId(), account_id, rollout_id: id, gateway_id: rows[0]!.id, state: 'sent', chunks_sent: 0 },
    ...{ offered_at: AT, changed_at: AT },
  });
  return id;
}

/** Nobody has signed it. */
export async function givenReport(pool: Pool, account_id: string, created_by: string): Promise<string> {
  const id = newId();
  const { rows } = await pool.query<{ id: string }>('select id from gateway where account_id = $1', [
    account_id,
  ]);
  const gateway = { id: rows[0]!.id, key: 'gw-m', name: words('Gateway M') };
  const content = { gateway, meters: [], number: 'PC-00001' };
  const row = { id, account_id, gateway_id: gateway.id, seq: 1, content, created_at: AT, created_by };
  await insert(pool, 'commissioning_report', row);
  const signature = { account_id, report_id: id, signed_as: 'installer', person_name: 'Somebody', at: AT };
  await insert(pool, 'commissioning_signature', { ...signature, person_id: created_by, factor: 'totp' });
  return id;
}
