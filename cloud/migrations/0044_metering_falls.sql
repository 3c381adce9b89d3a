-- A fall of a register is taken for a rollover only where it can hardly be anything else: an exchange that nobody wrote down
-- falls, too, and the difference would be use that never was.
drop function tenant_use(uuid, timestamptz, timestamptz, timestamptz);
grant create on schema public to parkline_usage;

-- Counts used between one known register and the next: by quarter hour where both ends are known, else over the whole
-- silence. Within what tenant_held answers, cut where meters were exchanged; a span never reaches out of a lease.
-- A register of five digits or more in the last hundredth of them that comes back in the first rolled over, which is told;
-- any other fall is negative.
create function tenant_use(p_usage_point uuid, p_from timestamptz, p_to timestamptz, p_now timestamptz)
returns table (
  begins timestamptz, ends timestamptz, counts float8, resolution float8, multiplier numeric, rolled_over boolean
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
      select s.at, s.next_at, s.next_value - s.value + case when m.rolled then m.modulus else 0 end,
        part.step, part.multiplier, m.rolled
      from span s
      cross join lateral (select 10 ^ greatest(5, length(trunc(s.value)::numeric::text)) as modulus) d
      cross join lateral (
        select d.modulus, s.next_value < s.value and s.value >= 0.99 * d.modulus and s.next_value < 0.01 * d.modulus as rolled
      ) m
      where s.next_at is not null
      order by 1;
  end loop;
end
$$;
alter function tenant_use(uuid, timestamptz, timestamptz, timestamptz) owner to parkline_usage;
revoke create on schema public from parkline_usage;


grant execute on function tenant_use(uuid, timestamptz, timestamptz, timestamptz) to parkline_app;
