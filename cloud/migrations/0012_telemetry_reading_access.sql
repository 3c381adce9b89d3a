-- How people read: functions that run as parkline_ingest and answer for points of the current account only. An unknown or
-- foreign point has no rows. plpgsql, because its plans are made for the times asked and so skip other partitions.

grant create on schema public to parkline_ingest;

-- point.num of a point of the current account, else null.
create function reading_point_num(p_point uuid) returns int4
language sql stable security definer set search_path = pg_catalog, public, pg_temp as
$$ select num from point where id = p_point and account_id = current_account() $$;
alter function reading_point_num(uuid) owner to parkline_ingest;

-- Samples in [p_from, p_to), oldest first.
create function reading_raw(p_point uuid, p_from timestamptz, p_to timestamptz, p_limit int4)
returns table (ts timestamptz, value float8, quality int2, flags int2)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare n constant int4 := reading_point_num(p_point);
begin
  return query
    select r.ts, r.value, r.quality, r.flags from reading r
    where r.point_num = n and r.ts >= p_from and r.ts < p_to
    order by r.ts limit p_limit;
end
$$;
alter function reading_raw(uuid, timestamptz, timestamptz, int4) owner to parkline_ingest;

-- Silences inside [p_from, least(p_to, p_now)) longer than p_stale, clipped to it. Imported readings come in the rhythm of
-- their file, so beside one of them a silence counts only when it is longer than p_import as well.
create function reading_gaps(
  p_point uuid, p_from timestamptz, p_to timestamptz, p_now timestamptz, p_stale interval, p_import interval, p_limit int4
) returns table (gap_from timestamptz, gap_to timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  n constant int4 := reading_point_num(p_point);
  until constant timestamptz := least(p_to, p_now);
begin
  return query
    with before as (
      select r.ts, r.flags from reading r where r.point_num = n and r.ts < p_from order by r.ts desc limit 1
    ), inside as (
      select r.ts, r.flags, lag(r.ts) over w as last_ts, lag(r.flags) over w as last_flags
      from reading r where r.point_num = n and r.ts >= p_from and r.ts < until
      window w as (order by r.ts)
    ), last as (
      select r.ts, r.flags from reading r where r.point_num = n and r.ts < until order by r.ts desc limit 1
    ), after as (
      select r.ts, r.flags from reading r where r.point_num = n and r.ts >= until order by r.ts limit 1
    ), silence as (
      select coalesce(i.last_ts, (select b.ts from before b), '-infinity') as s_from, i.ts as s_to,
        i.flags | coalesce(i.last_flags, (select b.flags from before b), 0::int2) as s_flags
      from inside i
      union all
      select coalesce((select l.ts from last l), '-infinity'), coalesce((select a.ts from after a), p_now),
        coalesce((select l.flags from last l), 0::int2) | coalesce((select a.flags from after a), 0::int2)
    )
    select greatest(s.s_from, p_from), least(s.s_to, until) from silence s
    where s.s_to > s.s_from + case when s.s_flags & 8 <> 0 then greatest(p_stale, p_import) else p_stale end
      and greatest(s.s_from, p_from) < least(s.s_to, until)
    order by 1 limit p_limit;
end
$$;
alter function reading_gaps(uuid, timestamptz, timestamptz, timestamptz, interval, interval, int4) owner to parkline_ingest;

-- Mean, least and greatest of the good samples per local hour, day or month; buckets without a sample are left out.
create function reading_buckets(p_point uuid, p_from timestamptz, p_to timestamptz, p_unit text, p_zone text)
returns table (at timestamptz, mean float8, least_value float8, greatest_value float8, worst int2, simulated boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare n constant int4 := reading_point_num(p_point);
begin
  return query
    select date_trunc(p_unit, r.ts, p_zone),
      avg(r.value) filter (where r.quality = 0), min(r.value) filter (where r.quality = 0),
      max(r.value) filter (where r.quality = 0), max(r.quality), bool_or(r.flags & 4 <> 0)
    from reading r where r.point_num = n and r.ts >= p_from and r.ts < p_to
    group by 1;
end
$$;
alter function reading_buckets(uuid, timestamptz, timestamptz, text, text) owner to parkline_ingest;

-- What a register showed at given instants (ascending), in counts: the sample taken for that quarter hour, else a straight
-- line between the good samples around it when they are at most one interval of 15 minutes apart, else nothing.
create function reading_register_at(p_point uuid, p_at timestamptz[])
returns table (at timestamptz, value float8, simulated boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  n constant int4 := reading_point_num(p_point);
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
      where r.point_num = n and r.ts >= low and r.ts < high and r.flags & 1 <> 0 and r.quality = 0
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
      where b.quarter is null and r.point_num = n and r.quality = 0
        and r.ts <= e.at and r.ts >= e.at - interval_length and r.ts >= low and r.ts <= high
      order by r.ts desc limit 1
    ) x on true
    left join lateral (
      select r.ts, r.value, r.flags from reading r
      where x.ts is not null and r.point_num = n and r.quality = 0
        and r.ts >= e.at and r.ts <= x.ts + interval_length and r.ts >= low and r.ts <= high
      order by r.ts limit 1
    ) y on true
    where b.quarter is not null or y.ts is not null;
end
$$;
alter function reading_register_at(uuid, timestamptz[]) owner to parkline_ingest;

-- The last good count in [p_from, p_to): the running end of a bucket that is not over.
create function reading_register_last(p_point uuid, p_from timestamptz, p_to timestamptz)
returns table (ts timestamptz, value float8, simulated boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare n constant int4 := reading_point_num(p_point);
begin
  return query
    select r.ts, r.value, r.flags & 4 <> 0 from reading r
    where r.point_num = n and r.ts >= p_from and r.ts < p_to and r.quality = 0
    order by r.ts desc limit 1;
end
$$;
alter function reading_register_last(uuid, timestamptz, timestamptz) owner to parkline_ingest;

revoke create on schema public from parkline_ingest;

grant execute on function reading_point_num(uuid) to parkline_ingest;
grant execute on function
  reading_raw(uuid, timestamptz, timestamptz, int4),
  reading_gaps(uuid, timestamptz, timestamptz, timestamptz, interval, interval, int4),
  reading_buckets(uuid, timestamptz, timestamptz, text, text),
  reading_register_at(uuid, timestamptz[]),
  reading_register_last(uuid, timestamptz, timestamptz)
  to parkline_app;
