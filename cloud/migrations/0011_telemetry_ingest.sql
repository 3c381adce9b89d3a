-- What ingest keeps beside the readings: receipts, point tables, quarantine, conflicts, last values.

-- Which messages of one outbox are stored for ever: the gateway deletes only what this covers, so it is written in the
-- same transaction as the samples. Sequence numbers start at 1.
create table uplink_receipt (
  gateway_id uuid not null references gateway,
  epoch text not null,
  ranges int8multirange not null default '{}',
  updated_at timestamptz not null default now(),
  primary key (gateway_id, epoch)
);

-- The points a batch names by index. `points` is the table as it was sent, `nums` the same points by point.num.
create table point_table (
  gateway_id uuid not null references gateway,
  hash text not null,
  nums int4[] not null,
  points jsonb not null,
  created_at timestamptz not null default now(),
  primary key (gateway_id, hash)
);

-- Messages that could not be read, whole, so that nothing a gateway was told is stored is ever lost.
create table quarantine (
  id bigint generated always as identity primary key,
  -- As the subject named it: not trusted, not always a UUID.
  gateway text not null,
  reason text not null,
  detail text,
  -- Set when the signature was good.
  epoch text,
  seq int8,
  -- Set when the message waits for this point table.
  table_hash text,
  bytes bytea not null,
  sha256 bytea not null unique,
  seen int4 not null default 1,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  -- When its content was stored after all.
  resolved_at timestamptz
);
create index quarantine_waiting on quarantine (gateway, table_hash) where resolved_at is null and reason = 'table';
create index quarantine_open on quarantine (first_at) where resolved_at is null;

-- A second, different value for a point and time. The first one stays; this row keeps the other.
create table reading_conflict (
  id bigint generated always as identity primary key,
  account_id uuid not null references account,
  point_num int4 not null,
  ts timestamptz not null,
  stored_value float8,
  stored_quality int2 not null,
  other_value float8,
  other_quality int2 not null,
  at timestamptz not null default now()
);
create index reading_conflict_point on reading_conflict (point_num, ts);

-- The newest reading of each point. fillfactor leaves room for updates in place: every row changes about once a second.
create table point_latest (
  point_num int4 primary key,
  account_id uuid not null references account,
  ts timestamptz not null,
  value float8,
  quality int2 not null,
  flags int2 not null
) with (fillfactor = 50);

-- One file of readings brought in by hand or by the demo.
create table reading_import (
  id uuid primary key,
  account_id uuid not null references account,
  who text not null,
  file text not null,
  sha256 text not null,
  rows int4 not null,
  inserted int4 not null,
  simulated boolean not null,
  at timestamptz not null default now()
);

call protect_by_account('reading_conflict');
call protect_by_account('point_latest');
call protect_by_account('reading_import');
create policy by_ingest on reading_conflict to parkline_ingest using (true) with check (true);
create policy by_ingest on point_latest to parkline_ingest using (true) with check (true);

grant select, insert, update on uplink_receipt, point_table, quarantine, reading_conflict, point_latest to parkline_ingest;
grant select on point_latest, reading_import to parkline_app;
