-- How far the clock of a gateway is off the cloud's, as its own health reports show on arrival: positive is ahead.
alter table gateway_status
  -- Known once two reports in a row agree.
  add column clock_skew_ms bigint,
  add column clock_measured_at timestamptz,
  -- The report before: Unix ms of the gateway's clock, and how far that was off when it arrived.
  add column clock_report_at bigint,
  add column clock_report_off_ms bigint;

-- What a register showed at a moment is taken only from samples whose time is sure: flag 2 says that it is not. Such a sample
-- stays where it is and is shown; what was used is the difference of the sure ones around it.
grant create on schema public to parkline_ingest;
create or replace function reading_register_at_num(p_num int4, p_at timestamptz[])
returns table (at timestamptz, value float8, simulated boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  interval_length constant interval := '15 minutes';
  -- Outer bounds: without them every look at a neighbour would open every partition.
  low constant timestamptz := p_at[1] - interval_length;
  high constant timestamptz := p_at[cardinality(p_at)] + interval_length;
begin
  return query
    with marked as (
      -- One pass, because nearly every instant has its marked sample. The mark says that the read began within 10 s of
      -- the quarter hour; the answer may have taken longer.
      select distinct on (1) date_bin(interval_length, r.ts, '2000-01-01Z') as quarter, r.value, r.flags
      from reading r
      where r.point_num = p_num and r.ts >= low and r.ts < high and r.flags & 3 = 1 and r.quality = 0
        and r.ts < date_bin(interval_length, r.ts, '2000-01-01Z') + interval '1 minute'
      order by 1, r.ts
    )
    select e.at,
      case when b.quarter is not null then b.value when x.ts = e.at then x.value
        else round(x.value + (y.value - x.value) * extract(epoch from e.at - x.ts)::float8
                                                 / extract(epoch from y.ts - x.ts)::float8) end,
      coalesce(b.flags, x.flags | y.flags) & 4 <> 0
    from unnest(p_at) e (at)
    left join marked b on b.quarter = e.at
    left join lateral (
      select r.ts, r.value, r.flags from reading r
      where b.quarter is null and r.point_num = p_num and r.quality = 0 and r.flags & 2 = 0
        and r.ts <= e.at and r.ts >= e.at - interval_length and r.ts >= low and r.ts <= high
      order by r.ts desc limit 1
    ) x on true
    left join lateral (
      select r.ts, r.value, r.flags from reading r
      where x.ts is not null and r.point_num = p_num and r.quality = 0 and r.flags & 2 = 0
        and r.ts >= e.at and r.ts <= x.ts + interval_length and r.ts >= low and r.ts <= high
      order by r.ts limit 1
    ) y on true
    where b.quarter is not null or y.ts is not null;
end
$$;

create or replace function reading_register_last_num(p_num int4, p_from timestamptz, p_to timestamptz)
returns table (ts timestamptz, value float8, simulated boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  return query
    select r.ts, r.value, r.flags & 4 <> 0 from reading r
    where r.point_num = p_num and r.ts >= p_from and r.ts < p_to and r.quality = 0 and r.flags & 2 = 0
    order by r.ts desc limit 1;
end
$$;
revoke create on schema public from parkline_ingest;
