-- Places and leases that people edit: versions, areas from a day on, states with their history, contacts, moving in and out.
alter table site add column version integer not null default 1 check (version > 0);
alter table building add column version integer not null default 1 check (version > 0);
alter table floor add column version integer not null default 1 check (version > 0);
alter table tenant add column version integer not null default 1 check (version > 0);
alter table lease add column version integer not null default 1 check (version > 0);
alter table space add column version integer not null default 1 check (version > 0);
alter table space drop constraint space_kind_check;
alter table space add constraint space_kind_check
  check (kind in ('unit', 'workstation', 'common', 'plant', 'parking', 'storage'));

-- Leased and vacant follow the leases; a space that is fitted out or locked stays so whatever is leased.
alter table space add column state text not null default 'vacant'
  constraint space_state check (state in ('vacant', 'intent', 'leased', 'fit_out', 'locked'));
create table space_state_change (
  id uuid primary key,
  account_id uuid not null,
  space_id uuid not null,
  at timestamptz not null,
  from_state text not null,
  state text not null check (state <> from_state),
  -- Null: it followed a lease by itself.
  person_id uuid,
  why text not null check (length(why) between 1 and 500),
  foreign key (account_id, space_id) references space (account_id, id) on delete cascade,
  foreign key (account_id, person_id) references person (account_id, id)
);
create index space_state_change_space on space_state_change (account_id, space_id, id desc);

-- Rentable area from a day on. The first known area holds for all days before, too: '-infinity' where no day was told.
create table space_area (
  account_id uuid not null,
  space_id uuid not null,
  from_date date not null,
  area_m2 numeric(12, 2) not null check (area_m2 > 0),
  primary key (space_id, from_date),
  foreign key (account_id, space_id) references space (account_id, id) on delete cascade
);
create index space_area_account on space_area (account_id, space_id);
alter table space no force row level security;
insert into space_area (account_id, space_id, from_date, area_m2) select account_id, id, '-infinity', area_m2 from space;
alter table space force row level security;
alter table space drop column area_m2;

create function space_area_on(p_space uuid, p_day date) returns numeric
  language sql stable
  return coalesce(
    (select a.area_m2 from space_area a where a.space_id = p_space and a.from_date <= p_day
     order by a.from_date desc limit 1),
    (select a.area_m2 from space_area a where a.space_id = p_space order by a.from_date limit 1)
  );
grant execute on function space_area_on(uuid, date) to parkline_app, parkline_worker;

-- Days on which the tenant took and gave back the spaces; null: as the lease says.
alter table lease
  add column moved_in_on date check (moved_in_on >= from_date and moved_in_on < to_date),
  add column moved_out_on date check (moved_out_on > from_date and moved_out_on <= to_date),
  add check (moved_out_on > moved_in_on);

create or replace function lease_space_days() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  select greatest(l.from_date, l.moved_in_on), least(l.to_date, l.moved_out_on) into strict new.from_date, new.to_date
    from public.lease l where l.account_id = new.account_id and l.id = new.lease_id;
  return new;
end
$$;
drop trigger lease_spaces_follow on lease;
-- What it sets is worked out anew by lease_space_days.
create trigger lease_spaces_follow after update of from_date, to_date, moved_in_on, moved_out_on on lease
  for each row when ((old.from_date, old.to_date, old.moved_in_on, old.moved_out_on)
    is distinct from (new.from_date, new.to_date, new.moved_in_on, new.moved_out_on))
  execute function lease_spaces_follow();

-- People at a tenant to be reached. Personal data: name, phone and mail; kept as long as the tenant is.
create table tenant_contact (
  id uuid primary key,
  account_id uuid not null,
  tenant_id uuid not null,
  key text not null,
  kind text not null check (kind in ('general', 'billing', 'emergency', 'technical')),
  name text not null check (length(name) between 1 and 200),
  phone text check (length(phone) between 1 and 50),
  mail text check (length(mail) between 3 and 254),
  version integer not null default 1 check (version > 0),
  foreign key (account_id, tenant_id) references tenant (account_id, id) on delete cascade,
  unique (account_id, key),
  unique (account_id, id)
);
create index tenant_contact_tenant on tenant_contact (account_id, tenant_id, id);
comment on column tenant_contact.name is 'personal data: whom to reach at a tenant';
comment on column tenant_contact.phone is 'personal data: how to reach them';
comment on column tenant_contact.mail is 'personal data: how to reach them';

call protect_by_account('space_state_change');
call protect_by_account('space_area');
call protect_by_account('tenant_contact');
call staff_only('space_state_change');
call staff_only('tenant_contact');
create policy by_tenant on space_area as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from space s where s.account_id = space_area.account_id and s.id = space_area.space_id)
) with check (current_tenant() is null);
call bounded_by('space_state_change', 'space', 'space_id');
call bounded_by('space_area', 'space', 'space_id');
call bounded_by('tenant_contact', 'tenant', 'tenant_id');

-- Who is bound to some buildings sees what has a part in them, and what has none anywhere yet; and changes only what has no
-- part in any other. Asked of the leases with the rights of another role, because the policies of lease_space ask back.
grant create on schema public to parkline_usage;
create function lease_in_sight(p_lease uuid, wholly boolean) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case when wholly then coalesce(bool_and(s.building_id = any (public.current_buildings())), true)
    else coalesce(bool_or(s.building_id = any (public.current_buildings())), true) end
  from public.lease_space l join public.space s on s.id = l.space_id where l.lease_id = p_lease
$$;
create function tenant_in_sight(p_tenant uuid, wholly boolean) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case when wholly then coalesce(bool_and(s.building_id = any (public.current_buildings())), true)
    else coalesce(bool_or(s.building_id = any (public.current_buildings())), true) end
  from public.lease_space l join public.space s on s.id = l.space_id where l.tenant_id = p_tenant
$$;
alter function lease_in_sight(uuid, boolean) owner to parkline_usage;
alter function tenant_in_sight(uuid, boolean) owner to parkline_usage;
revoke create on schema public from parkline_usage;
grant execute on function lease_in_sight(uuid, boolean), tenant_in_sight(uuid, boolean) to parkline_app;

drop policy by_building on lease;
create policy by_building on lease as restrictive to parkline_app
  using ((select current_buildings()) is null or lease_in_sight(id, false))
  with check ((select current_buildings()) is null or lease_in_sight(id, true));
create policy by_building_gone on lease as restrictive for delete to parkline_app
  using ((select current_buildings()) is null or lease_in_sight(id, true));
drop policy by_building on tenant;
create policy by_building on tenant as restrictive to parkline_app
  using ((select current_buildings()) is null or tenant_in_sight(id, false))
  with check ((select current_buildings()) is null or tenant_in_sight(id, true));
create policy by_building_gone on tenant as restrictive for delete to parkline_app
  using ((select current_buildings()) is null or tenant_in_sight(id, true));
-- A site's zone and currency are those of all its buildings.
drop policy by_building on site;
create policy by_building on site as restrictive to parkline_app using (
  (select current_buildings()) is null
  or exists (select from building b where b.account_id = site.account_id and b.site_id = site.id)
) with check ((select current_buildings()) is null);

grant insert, update, delete on site, building, floor, space, tenant, lease, lease_space to parkline_app;
grant select, insert, update, delete on space_area, tenant_contact to parkline_app;
grant select, insert on space_state_change to parkline_app;
-- Days begin and end without anybody asking.
grant select on space, space_area, lease, lease_space, tenant to parkline_worker;
grant update (state, version) on space to parkline_worker;
grant select, insert on space_state_change to parkline_worker;
grant update (disabled_at) on person to parkline_worker;
grant select, delete on session to parkline_worker;

-- The states of what is leased today, and a job that looks again.
alter table space no force row level security;
alter table building no force row level security;
alter table site no force row level security;
alter table lease_space no force row level security;
alter table account no force row level security;
alter table job no force row level security;
update space s set state = 'leased' from building b join site t on t.id = b.site_id
  where b.id = s.building_id and exists (
    select from lease_space l where l.space_id = s.id
      and daterange(l.from_date, l.to_date) @> (now() at time zone t.timezone)::date);
insert into job (id, account_id, task, key, payload, due_at)
  select gen_random_uuid(), a.id, 'tenancy.follow', 'spaces', '{}', now() from account a
  where exists (select from lease_space l where l.account_id = a.id);
alter table job force row level security;
alter table account force row level security;
alter table lease_space force row level security;
alter table site force row level security;
alter table building force row level security;
alter table space force row level security;
