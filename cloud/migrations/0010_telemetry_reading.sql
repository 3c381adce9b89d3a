-- Readings: one narrow row a sample. It has no account_id and no row-level security, so only ingest and the owner may touch
-- it; people read through the functions of 0012, which check the account of the point.
--
-- Two layouts of one table: a hypertable where the extension is present and answers, else native range partitions, both of
-- seven days. Everything but this file and telemetry/storage.ts treats them alike.

-- Native partitions live here. Nobody but the owner may enter, so no partition can be read past the parent's rights.
create schema reading_store;
revoke all on schema reading_store from public;

do $$
begin
  if exists (select from pg_extension where extname = 'timescaledb') then
    begin
      create table reading (
        point_num int4 not null,
        quality int2 not null,
        flags int2 not null,
        ts timestamptz not null,
        value float8,
        constraint reading_key unique (point_num, ts)
      );
      perform create_hypertable('reading', by_range('ts', interval '7 days'), create_default_indexes => false);
      -- Chunks carry the rights of this table, so whoever has none here has none there. Their schema stays open: with
      -- usage revoked TimescaleDB refuses every query of the role, even one of pg_class.
      return;
    exception when others then -- The functions exist in builds that then refuse to run: only calling one tells.
      raise warning 'timescaledb is present but refuses (%), using native partitions', sqlerrm;
    end;
  end if;

  create table reading (
    point_num int4 not null,
    quality int2 not null,
    flags int2 not null,
    ts timestamptz not null,
    value float8,
    constraint reading_key unique (point_num, ts)
  ) partition by range (ts);
end
$$;

comment on table reading is 'Samples. value: engineering value of a gauge, whole counts of the resolution of a register, null when bad.';
comment on column reading.quality is '0 good, 1 uncertain, 2 bad';
comment on column reading.flags is 'Bits: 1 stands for a quarter hour, 2 time suspect, 4 simulated, 8 imported';

-- Makes the partitions that hold these times. Ingest may not change the schema; it may call this.
-- Attaching takes a weaker lock than "create table ... partition of", so readers and writers go on meanwhile.
create function reading_ensure(p_times timestamptz[]) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  week bigint;
  span constant bigint := 7 * 86400;
  name text;
begin
  if not exists (select from pg_class where oid = 'public.reading'::regclass and relkind = 'p') then
    return; -- A hypertable makes its own chunks.
  end if;
  perform pg_advisory_xact_lock(7215350010);
  for week in select distinct floor(extract(epoch from t) / span)::bigint from unnest(p_times) t order by 1 loop
    name := to_char(to_timestamp(week * span) at time zone 'UTC', '"reading_"YYYYMMDD');
    continue when to_regclass('reading_store.' || name) is not null;
    execute format('create table reading_store.%I (like public.reading including defaults)', name);
    execute format('alter table public.reading attach partition reading_store.%I for values from (%L) to (%L)',
      name, to_timestamp(week * span), to_timestamp((week + 1) * span));
  end loop;
end
$$;

grant execute on function reading_ensure(timestamptz[]) to parkline_ingest;
grant select, insert on reading to parkline_ingest;
