-- A meter that is bound to a space measures the use of it: its usage point follows the device.
alter table usage_point
  -- The device whose space made it; null where a plan did.
  add column equipment_id uuid,
  add foreign key (account_id, equipment_id) references equipment (account_id, id) on delete cascade;
create index usage_point_equipment on usage_point (account_id, equipment_id) where equipment_id is not null;

-- A device that was never heard is taken back whole, and its installation with its points. What a plan wrote keeps its register.
create function point_let_go() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from public.meter_installation i using public.usage_point u
    where i.account_id = old.account_id and i.point_id = old.id
      and u.account_id = i.account_id and u.id = i.usage_point_id and u.equipment_id is not null;
  return old;
end
$$;
create trigger point_let_go before delete on point for each row execute function point_let_go();

-- Use of one unit of a register, as proven at the meter: the ratio of its transformers, where nothing before applies it. The first
-- one holds for all that was counted, a later one from the reading that proved it.
create table register_multiplier (
  account_id uuid not null,
  point_id uuid not null,
  from_at timestamptz not null,
  multiplier numeric(18, 6) not null check (multiplier > 0),
  primary key (account_id, point_id, from_at),
  foreign key (account_id, point_id) references point (account_id, id) on delete cascade
);
-- What was proven before: let pass by an engineer, or signed by two.
alter table commissioning no force row level security;
alter table commissioning_report no force row level security;
alter table commissioning_signature no force row level security;
insert into register_multiplier (account_id, point_id, from_at, multiplier)
  select account_id, point_id, '-infinity', product
  from (
    select c.account_id, c.point_id,
      case c.ratio_applied when 'billing' then round(c.ct_ratio::numeric * c.pt_ratio::numeric, 6) else 1 end as product
    from commissioning c
    where c.ct_ratio is not null and c.pt_ratio is not null and c.ratio_applied is not null
      and (c.state = 'waived' or c.state = 'passed' and exists (
        select from commissioning_report r
        where r.account_id = c.account_id
          and r.content -> 'meters' @> jsonb_build_array(jsonb_build_object('equipmentId', c.equipment_id))
          and (select count(*) from commissioning_signature s where s.report_id = r.id) = 2))
  ) proven
  where product > 0 and product < 1e12;
alter table commissioning force row level security;
alter table commissioning_report force row level security;
alter table commissioning_signature force row level security;
call protect_by_account('register_multiplier');
call staff_only('register_multiplier');
call bounded_by('register_multiplier', 'point', 'point_id');
grant select, insert, update on register_multiplier to parkline_app;
grant select on register_multiplier to parkline_worker;

grant select, delete on meter_installation to parkline_worker;
grant insert (id, account_id, key, name, commodity, unit, space_id, equipment_id), update (name, space_id), delete
  on usage_point to parkline_worker;
grant insert (id, account_id, usage_point_id, point_id, from_at, to_at), update (to_at, multiplier)
  on meter_installation to parkline_worker;

-- Where what is surely read of a point begins in a span: at its start where something was read before, null where nothing is.
grant create on schema public to parkline_ingest, parkline_usage;
create function reading_since_num(p_num int4, p_from timestamptz, p_to timestamptz) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
  perform from reading r where r.point_num = p_num and r.ts < p_from and r.quality = 0 and r.flags & 2 = 0
    order by r.ts desc limit 1;
  if found then
    return p_from;
  end if;
  return (select r.ts from reading r
    where r.point_num = p_num and r.ts >= p_from and r.ts < p_to and r.quality = 0 and r.flags & 2 = 0
    order by r.ts limit 1);
end
$$;
revoke execute on function reading_since_num(int4, timestamptz, timestamptz) from public;
grant execute on function reading_since_num(int4, timestamptz, timestamptz) to parkline_usage;
alter function reading_since_num(int4, timestamptz, timestamptz) owner to parkline_ingest;

-- As before; where a usage point follows a device, only while its meter hangs there, and from its first reading on: a space whose
-- meter was exchanged has two, and neither is silent while the other counts.
create or replace function tenant_held(p_usage_point uuid, p_from timestamptz, p_to timestamptz, p_now timestamptz)
returns table (held_from timestamptz, held_to timestamptz)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  -- Leases that follow each other are one span, so that use over the seam is not lost.
  select greatest(lower(h.span), p_from), least(upper(h.span), p_to, p_now)
  from (
    select unnest(case when u.equipment_id is null then l.days else l.days * hung.spans end) as span
    from usage_point u
    cross join lateral (
      select range_agg(tstzrange(
        l.from_date::timestamp at time zone s.timezone, l.to_date::timestamp at time zone s.timezone)) as days
      from lease_space l
      join space p on p.account_id = u.account_id and p.id = u.space_id
      join building b on b.account_id = p.account_id and b.id = p.building_id
      join site s on s.account_id = b.account_id and s.id = b.site_id
      where l.account_id = u.account_id and l.space_id = u.space_id and l.tenant_id = current_tenant()
    ) l
    left join lateral (
      select range_agg(tstzrange(m.since, m.to_at)) as spans
      from (
        select coalesce(i.from_at, reading_since_num(p.num, p_from, least(p_to, p_now))) as since, i.to_at
        from meter_installation i join point p on p.account_id = i.account_id and p.id = i.point_id
        where i.account_id = u.account_id and i.usage_point_id = u.id and u.equipment_id is not null and l.days is not null
      ) m
      where m.since < coalesce(m.to_at, 'infinity')
    ) hung on true
    where u.id = p_usage_point and u.account_id = current_account()
  ) h
  where greatest(lower(h.span), p_from) < least(upper(h.span), p_to, p_now)
  order by 1
$$;
revoke create on schema public from parkline_ingest, parkline_usage;

-- Meters that are bound to spaces by now.
alter table account no force row level security;
alter table job no force row level security;
insert into job (id, account_id, task, key, payload, due_at)
  select gen_random_uuid(), id, 'fleet.equipment_changed', 'migration 0121', jsonb_build_object('at', now()), now() from account;
alter table job force row level security;
alter table account force row level security;
