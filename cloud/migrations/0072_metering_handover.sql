-- What a meter showed when a space changed hands, where somebody read it. It stands above any reading of that moment.
create table handover_reading (
  account_id uuid not null,
  lease_id uuid not null,
  tenant_id uuid not null,
  usage_point_id uuid not null,
  what text not null check (what in ('first', 'final')),
  at timestamptz not null,
  counts double precision not null check (counts >= 0 and counts = trunc(counts)),
  primary key (lease_id, usage_point_id, what),
  foreign key (account_id, tenant_id, lease_id) references lease (account_id, tenant_id, id) on delete cascade
    on update cascade,
  foreign key (account_id, usage_point_id) references usage_point (account_id, id)
);
create index handover_reading_usage_point on handover_reading (account_id, usage_point_id, at);
call protect_by_account('handover_reading');
call protect_by_tenant('handover_reading');
call bounded_by('handover_reading', 'usage_point', 'usage_point_id');
grant select on handover_reading to parkline_app, parkline_usage;
grant select, insert, update on handover_reading to parkline_worker;
grant select on usage_point to parkline_worker;

-- As before, with what was read at a handover.
create or replace function tenant_use(p_usage_point uuid, p_from timestamptz, p_to timestamptz, p_now timestamptz)
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
      ), handed as (
        -- What was read as the space changed hands, but where an exchange of that moment was written down.
        select distinct on (h.at) h.at, h.counts from handover_reading h
        where h.account_id = current_account() and h.usage_point_id = p_usage_point and h.at in (part.low, part.high)
          and h.at is distinct from case when part.start_counts is not null then part.from_at end
          and h.at is distinct from case when part.final_counts is not null then part.to_at end
        order by h.at, h.what
      ), shown as (
        select r.at, r.value from instant, reading_register_at_num(part.num, instant.all_of_them) r
        where r.at is distinct from case when part.start_counts is not null then part.from_at end
          and r.at is distinct from case when part.final_counts is not null then part.to_at end
          and r.at not in (select h.at from handed h)
        -- What is written down of an exchange stands above any reading of that moment.
        union all select part.from_at, part.start_counts where part.start_counts is not null and part.low = part.from_at
        union all select part.to_at, part.final_counts where part.final_counts is not null and part.high = part.to_at
        union all select h.at, h.counts from handed h
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
