-- What tenants see of meters: use, never a register, and only of their own days.

-- Reading by number, for functions that have looked at who asks already.
grant create on schema public to parkline_ingest;

create function reading_register_at_num(p_num int4, p_at timestamptz[])
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
      where r.point_num = p_num and r.ts >= low and r.ts < high and r.flags & 1 <> 0 and r.quality = 0
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
      where b.quarter is null and r.point_num = p_num and r.quality = 0
        and r.ts <= e.at and r.ts >= e.at - interval_length and r.ts >= low and r.ts <= high
      order by r.ts desc limit 1
    ) x on true
    left join lateral (
      select r.ts, r.value, r.flags from reading r
      where x.ts is not null and r.point_num = p_num and r.quality = 0
        and r.ts >= e.at and r.ts <= x.ts + interval_length and r.ts >= low and r.ts <= high
      order by r.ts limit 1
    ) y on true
    where b.quarter is not null or y.ts is not null;
end
$$;
alter function reading_register_at_num(int4, timestamptz[]) owner to parkline_ingest;

create function reading_register_last_num(p_num int4, p_from timestamptz, p_to timestamptz)
returns table (ts timestamptz, value float8, simulated boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  return query
    select r.ts, r.value, r.flags & 4 <> 0 from reading r
    where r.point_num = p_num and r.ts >= p_from and r.ts < p_to and r.quality = 0
    order by r.ts desc limit 1;
end
$$;
alter function reading_register_last_num(int4, timestamptz, timestamptz) owner to parkline_ingest;

-- The public ways to the same two keep their check of the account.
create or replace function reading_register_at(p_point uuid, p_at timestamptz[])
returns table (at timestamptz, value float8, simulated boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  return query select * from reading_register_at_num(reading_point_num(p_point), p_at);
end
$$;
create or replace function reading_register_last(p_point uuid, p_from timestamptz, p_to timestamptz)
returns table (ts timestamptz, value float8, simulated boolean)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  return query select * from reading_register_last_num(reading_point_num(p_point), p_from, p_to);
end
$$;
grant execute on function
  reading_register_at_num(int4, timestamptz[]), reading_register_last_num(int4, timestamptz, timestamptz)
  to parkline_usage;
revoke create on schema public from parkline_ingest;

grant create on schema public to parkline_usage;
grant select on usage_point, meter_installation, point to parkline_usage;

-- When the tenant who asks holds the space of a usage point, clipped to [p_from, least(p_to, p_now)). Nothing for anybody
-- else: the account and the tenant are those of the running transaction, whatever is asked for.
create function tenant_held(p_usage_point uuid, p_from timestamptz, p_to timestamptz, p_now timestamptz)
returns table (held_from timestamptz, held_to timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  -- Leases that follow each other are one span, so that use over the seam is not lost.
  select greatest(lower(h.span), p_from), least(upper(h.span), p_to, p_now)
  from (
    select unnest(range_agg(tstzrange(
      l.from_date::timestamp at time zone s.timezone, l.to_date::timestamp at time zone s.timezone))) as span
    from usage_point u
    join lease_space l on l.account_id = u.account_id and l.space_id = u.space_id
    join space p on p.account_id = u.account_id and p.id = u.space_id
    join building b on b.account_id = p.account_id and b.id = p.building_id
    join site s on s.account_id = b.account_id and s.id = b.site_id
    where u.id = p_usage_point and u.account_id = current_account() and l.tenant_id = current_tenant()
  ) h
  where greatest(lower(h.span), p_from) < least(upper(h.span), p_to, p_now)
  order by 1
$$;
alter function tenant_held(uuid, timestamptz, timestamptz, timestamptz) owner to parkline_usage;

-- Counts used between one known register and the next: by quarter hour where both ends are known, else over the whole
-- silence. Within what tenant_held answers, cut where meters were exchanged; a span never reaches out of a lease.
-- A register in the last tenth of its digits that comes back in the first rolled over; any other fall is negative.
create function tenant_use(p_usage_point uuid, p_from timestamptz, p_to timestamptz, p_now timestamptz)
returns table (
  begins timestamptz, ends timestamptz, counts float8, resolution float8, multiplier numeric
)
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
  quarter constant interval := '15 minutes';
  origin constant timestamptz := '2000-01-01Z';
  part record;
begin
  for part in
    select i.*, p.num, p.resolution as step,
      greatest(h.held_from, i.from_at) as low, least(h.held_to, i.to_at) as high
    from tenant_held(p_usage_point, p_from, p_to, p_now) h
    join meter_installation i on i.usage_point_id = p_usage_point and i.account_id = current_account()
    join point p on p.account_id = i.account_id and p.id = i.point_id
    where greatest(h.held_from, i.from_at) < least(h.held_to, i.to_at)
    order by 1, i.from_at nulls first
  loop
    return query
      with instant as (
        select array_agg(distinct e.at order by e.at) as all_of_them
        from (
          select part.low as at
          union all select part.high
          union all select generate_series(date_bin(quarter, part.low, origin) + quarter, part.high, quarter)
        ) e
      ), shown as (
        select r.at, r.value from instant, reading_register_at_num(part.num, instant.all_of_them) r
        where r.at is distinct from case when part.start_counts is not null then part.from_at end
          and r.at is distinct from case when part.final_counts is not null then part.to_at end
        -- What is written down of an exchange stands above any reading of that moment.
        union all select part.from_at, part.start_counts where part.start_counts is not null and part.low = part.from_at
        union all select part.to_at, part.final_counts where part.final_counts is not null and part.high = part.to_at
        union all
          select r.ts, r.value from reading_register_last_num(part.num, part.low, part.high) r where part.high = p_now
      ), knot as (
        select distinct on (s.at) s.at, s.value from shown s order by s.at, s.value
      ), span as (
        select k.at, lead(k.at) over w as next_at, k.value, lead(k.value) over w as next_value
        from knot k window w as (order by k.at)
      )
      select s.at, s.next_at,
        case when s.next_value < s.value and s.value >= 0.9 * m.modulus and s.next_value < 0.1 * m.modulus
          then s.next_value + m.modulus - s.value else s.next_value - s.value end,
        part.step, part.multiplier
      from span s cross join lateral (select 10 ^ length(trunc(s.value)::numeric::text) as modulus) m
      where s.next_at is not null
      order by 1;
  end loop;
end
$$;
alter function tenant_use(uuid, timestamptz, timestamptz, timestamptz) owner to parkline_usage;
revoke create on schema public from parkline_usage;

grant execute on function tenant_held(uuid, timestamptz, timestamptz, timestamptz) to parkline_app, parkline_usage;
grant execute on function tenant_use(uuid, timestamptz, timestamptz, timestamptz) to parkline_app;
