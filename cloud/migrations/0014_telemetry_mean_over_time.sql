-- The mean of a gauge counts each good sample for as long as it held: until the next one, at most until it was stale. Gauges
-- report by exception, so a plain average would count a busy minute twelve times as much as a quiet one. A value held over
-- the edge of a bucket counts on both sides. Least, greatest and worst are those of the samples inside; p_from is an edge.
create or replace function reading_buckets(p_point uuid, p_from timestamptz, p_to timestamptz, p_unit text, p_zone text)
returns table (at timestamptz, mean float8, least_value float8, greatest_value float8, worst int2, simulated boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  n constant int4 := reading_point_num(p_point);
  longest constant interval := (select p.stale_after_ms * interval '1 millisecond' from point p where p.num = n);
  -- Outer bound: without it every bucket would look into every partition.
  low constant timestamptz := p_from - longest;
begin
  return query
    with edge as (
      select e as starts, lead(e, 1, p_to) over (order by e) as ends
      from generate_series(p_from, p_to - interval '1 microsecond', ('1 ' || p_unit)::interval, p_zone) e
    )
    select b.starts, s.mean, s.least_value, s.greatest_value, s.worst, s.simulated
    from edge b cross join lateral (
      select count(*) filter (where h.is_inside) as inside,
        sum(h.value * h.seconds) filter (where h.quality = 0) / sum(h.seconds) filter (where h.quality = 0) as mean,
        min(h.value) filter (where h.quality = 0 and h.is_inside) as least_value,
        max(h.value) filter (where h.quality = 0 and h.is_inside) as greatest_value,
        max(h.quality) filter (where h.is_inside) as worst,
        bool_or(h.flags & 4 <> 0) filter (where h.is_inside) as simulated
      from (
        select r.value, r.quality, r.flags, r.ts >= b.starts as is_inside,
          date_part('epoch', least(r.ts + longest, lead(r.ts, 1, b.ends) over (order by r.ts)) - greatest(r.ts, b.starts))
            as seconds
        from reading r
        where r.point_num = n and r.ts >= b.starts - longest and r.ts < b.ends and r.ts >= low and r.ts < p_to
      ) h
      where h.seconds > 0
    ) s
    where s.inside > 0;
end
$$;
