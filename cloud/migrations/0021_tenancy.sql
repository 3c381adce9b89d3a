-- Rooms and suites, who leases them, and from when to when.
create table space (
  id uuid primary key,
  account_id uuid not null,
  building_id uuid not null,
  floor_id uuid not null,
  key text not null,
  name jsonb not null,
  kind text not null check (kind in ('unit', 'common', 'plant')),
  area_m2 numeric(12, 2) not null check (area_m2 > 0),
  foreign key (account_id, building_id) references building (account_id, id),
  foreign key (account_id, floor_id) references floor (account_id, id),
  unique (account_id, key),
  unique (account_id, id)
);
create index space_building on space (account_id, building_id, id);
create index space_floor on space (account_id, floor_id);

create table tenant (
  id uuid primary key,
  account_id uuid not null references account,
  key text not null,
  name jsonb not null,
  unique (account_id, key),
  unique (account_id, id)
);

create table lease (
  id uuid primary key,
  account_id uuid not null,
  tenant_id uuid not null,
  key text not null,
  -- First day and the day after the last one, on the site's calendar; null while no end is agreed.
  from_date date not null,
  to_date date check (to_date > from_date),
  headcount integer check (headcount >= 0),
  foreign key (account_id, tenant_id) references tenant (account_id, id),
  unique (account_id, key),
  unique (account_id, tenant_id, id)
);

-- Spaces of a lease. Tenant and days are repeated from the lease: policies and the rule below look at one table, and
-- lease_spaces_follow keeps them the same.
create table lease_space (
  account_id uuid not null,
  lease_id uuid not null,
  tenant_id uuid not null,
  space_id uuid not null,
  from_date date not null,
  to_date date,
  primary key (lease_id, space_id),
  foreign key (account_id, tenant_id, lease_id) references lease (account_id, tenant_id, id) on delete cascade
    on update cascade,
  foreign key (account_id, space_id) references space (account_id, id)
);
create index lease_space_space on lease_space (account_id, space_id, from_date);
create index lease_space_tenant on lease_space (account_id, tenant_id, space_id);

create function lease_space_days() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  select l.from_date, l.to_date into strict new.from_date, new.to_date
    from public.lease l where l.account_id = new.account_id and l.id = new.lease_id;
  return new;
end
$$;
create trigger lease_space_days before insert or update on lease_space
  for each row execute function lease_space_days();

create function lease_spaces_follow() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  update public.lease_space s set from_date = new.from_date, to_date = new.to_date
    where s.account_id = new.account_id and s.lease_id = new.id;
  return null;
end
$$;
create trigger lease_spaces_follow after update of from_date, to_date on lease
  for each row when ((old.from_date, old.to_date) is distinct from (new.from_date, new.to_date))
  execute function lease_spaces_follow();

-- No space is leased twice on one day. A trigger, because an exclusion constraint on uuid needs btree_gist, which a plain
-- PostgreSQL may lack. Whoever leases a space locks it first, so of two at once the second sees the first. Looked at when
-- the transaction ends: a plan may move the end of one lease and the start of the next in any order.
create function lease_space_once() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  name text;
  other text;
begin
  select s.key into name from public.space s
    where s.account_id = new.account_id and s.id = new.space_id for no key update;
  select l.key into other
    from public.lease_space o join public.lease l on l.id = o.lease_id
    join public.lease_space mine on mine.lease_id = new.lease_id and mine.space_id = new.space_id
    where o.account_id = new.account_id and o.space_id = new.space_id and o.lease_id <> new.lease_id
      and daterange(o.from_date, o.to_date) && daterange(mine.from_date, mine.to_date)
    limit 1;
  if other is not null then
    raise exception 'space % is leased by % on some of the same days', name, other
      using errcode = 'exclusion_violation', constraint = 'lease_space_once', table = 'lease_space';
  end if;
  return null;
end
$$;
create constraint trigger lease_space_once after insert or update on lease_space
  deferrable initially deferred for each row execute function lease_space_once();

call protect_by_account('space');
call protect_by_account('tenant');
call protect_by_account('lease');
call protect_by_account('lease_space');

call protect_by_tenant('tenant', 'id');
call protect_by_tenant('lease');
call protect_by_tenant('lease_space');
-- A tenant sees the spaces that it leases, did or will, and what they lie in. Each policy asks the table below it, which
-- answers by its own. Named for the two roles that tenants are served by: others have no right to look into leases.
create policy by_tenant on space as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from lease_space l where l.account_id = space.account_id and l.space_id = space.id)
) with check (current_tenant() is null);
create policy by_tenant on floor as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from space s where s.account_id = floor.account_id and s.floor_id = floor.id)
) with check (current_tenant() is null);
create policy by_tenant on building as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from space s where s.account_id = building.account_id and s.building_id = building.id)
) with check (current_tenant() is null);
create policy by_tenant on site as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from building b where b.account_id = site.account_id and b.site_id = site.id)
) with check (current_tenant() is null);

grant select on space, tenant, lease, lease_space to parkline_app;
-- Whoever tells a tenant its use checks the leases first.
grant select on site, building, floor, space, tenant, lease, lease_space to parkline_usage;
