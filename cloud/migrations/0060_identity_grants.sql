-- Who may do what, where. A role is granted on the whole account, on a site or on a building; a role of a tenant's people
-- on their tenant. The rights that follow from a role are in cloud/src/identity/permissions.ts.

create table role_grant (
  id uuid primary key,
  account_id uuid not null,
  person_id uuid not null,
  role text not null check (role in ('facility_engineer', 'technician', 'supervisor', 'tenant_admin', 'tenant_employee',
    'finance_officer', 'leasing_officer', 'guard', 'executive', 'installer', 'account_admin')),
  -- At most one of the two; neither: everywhere.
  site_id uuid,
  building_id uuid,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade,
  foreign key (account_id, site_id) references site (account_id, id) on delete cascade,
  foreign key (account_id, building_id) references building (account_id, id) on delete cascade,
  check (num_nonnulls(site_id, building_id) <= 1),
  -- An administrator of the account and a tenant's people have no part of it.
  check (role not in ('account_admin', 'tenant_admin', 'tenant_employee') or num_nonnulls(site_id, building_id) = 0),
  unique nulls not distinct (account_id, person_id, role, site_id, building_id)
);
-- An owner that is bound by the policies sees nobody else.
alter table person no force row level security;
insert into role_grant (id, account_id, person_id, role)
  select gen_random_uuid(), p.account_id, p.id, r from person p, unnest(p.roles) r;
alter table person force row level security;
alter table person drop column roles;

-- Whoever belongs to a tenant has roles of tenants and nobody else has one: a forgotten tenant_id would make staff of a
-- lessee. The tenant of a person never changes.
create function role_grant_fits() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid;
begin
  select p.tenant_id into strict tenant from public.person p where p.account_id = new.account_id and p.id = new.person_id;
  if (new.role in ('tenant_admin', 'tenant_employee')) <> (tenant is not null) then
    raise exception 'role % does not fit a person % a tenant', new.role,
      case when tenant is null then 'without' else 'of' end
      using errcode = 'check_violation', constraint = 'role_grant_fits', table = 'role_grant';
  end if;
  return new;
end
$$;
create trigger role_grant_fits before insert or update on role_grant for each row execute function role_grant_fits();

create function person_tenant_stays() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'a person stays with the tenant' using errcode = 'check_violation', constraint = 'person_tenant_stays',
    table = 'person';
end
$$;
create trigger person_tenant_stays before update of tenant_id on person for each row
  when (old.tenant_id is distinct from new.tenant_id) execute function person_tenant_stays();

-- The buildings that the running request may touch; null: every one. Set beside current_account().
create function current_buildings() returns uuid[]
  language sql stable parallel safe
  return nullif(current_setting('app.building_ids', true), '')::uuid[];
grant execute on function current_buildings()
  to parkline_app, parkline_ingest, parkline_gate, parkline_usage, parkline_worker;

-- Every table with account_id calls one of these four after protect_by_tenant or staff_only, or makes a restrictive policy
-- by_building of its own. Only people's requests are bounded so: background work sees the whole account.

-- A row lies in a building; one without a building is for those who may see them all.
create procedure bounded_by_building(target regclass, key_column name default 'building_id')
  language plpgsql
as $$
begin
  execute format(
    'create policy by_building on %s as restrictive to parkline_app
     using ((select current_buildings()) is null or %I = any ((select current_buildings())::uuid[]))',
    target, key_column
  );
end
$$;

-- A row is there where the row of `holder` that it names is there.
create procedure bounded_by(target regclass, holder regclass, key_column name, holder_key name default 'id')
  language plpgsql
as $$
begin
  execute format(
    'create policy by_building on %1$s as restrictive to parkline_app
     using ((select current_buildings()) is null or exists (select from %2$s h where h.%4$I = %1$s.%3$I))',
    target, holder, key_column, holder_key
  );
end
$$;

-- Rows of the account as a whole; `anyone_reads`: whoever may read at all, but only who acts everywhere writes.
create procedure account_wide(target regclass, anyone_reads boolean default false)
  language plpgsql
as $$
begin
  execute format(
    'create policy by_building on %s as restrictive to parkline_app using (%s or (select current_buildings()) is null)
     with check ((select current_buildings()) is null)',
    target, case when anyone_reads then 'true' else 'false' end
  );
end
$$;

-- Rows that have no place and are no secret among colleagues, or that only their own person reaches.
create procedure unbounded(target regclass)
  language plpgsql
as $$
begin
  execute format('create policy by_building on %s as restrictive to parkline_app using (true)', target);
end
$$;

-- Leases ask spaces, and spaces ask leases when a tenant asks: this function breaks the circle.
grant create on schema public to parkline_usage;
create function space_in_sight(p_space uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select exists (
    select from public.space s where s.id = p_space and s.building_id = any (public.current_buildings())) $$;
alter function space_in_sight(uuid) owner to parkline_usage;
revoke create on schema public from parkline_usage;
grant execute on function space_in_sight(uuid) to parkline_app;

-- The buildings that somebody is a technician of; null: everywhere.
create function technician_buildings(p_person uuid) returns text[]
  language sql stable set search_path = pg_catalog, public, pg_temp
as $$
  select case when not bool_or(num_nonnulls(g.site_id, g.building_id) = 0)
    then array_agg(distinct b.id::text order by b.id::text) filter (where b.id is not null) end
  from role_grant g left join building b on b.id = g.building_id or b.site_id = g.site_id
  where g.person_id = p_person and g.role = 'technician'
$$;
grant execute on function technician_buildings(uuid) to parkline_app, parkline_worker;

call protect_by_account('role_grant');
create policy by_tenant on role_grant as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from person p where p.account_id = role_grant.account_id and p.id = role_grant.person_id)
);

call unbounded('account');
call unbounded('person');
call unbounded('person_area');
call unbounded('role_grant');
call unbounded('session');
call unbounded('audit_event');
call bounded_by_building('building', 'id');
create policy by_building on site as restrictive to parkline_app using (
  (select current_buildings()) is null
  or exists (select from building b where b.account_id = site.account_id and b.site_id = site.id)
);
call bounded_by_building('floor');
call bounded_by_building('space');
create policy by_building on lease_space as restrictive to parkline_app using (
  (select current_buildings()) is null or space_in_sight(space_id)
);
call bounded_by('lease', 'lease_space', 'id', 'lease_id');
call bounded_by('tenant', 'lease_space', 'id', 'tenant_id');
call bounded_by_building('gateway');
call bounded_by_building('equipment');
call bounded_by('equipment_serves', 'equipment', 'equipment_id');
call bounded_by('point', 'equipment', 'equipment_id');
call bounded_by('gateway_status', 'gateway', 'gateway_id');
call bounded_by('gateway_event', 'gateway', 'gateway_id');
call bounded_by('device_status', 'equipment', 'equipment_id');
call bounded_by('point_latest', 'point', 'point_num', 'num');
call bounded_by('command', 'equipment', 'equipment_id');
-- The API only ever adds to these two.
call unbounded('command_audit');
call unbounded('command_audit_head');
call account_wide('reading_conflict');
call account_wide('reading_import');
call bounded_by('usage_point', 'space', 'space_id');
call bounded_by('meter_installation', 'usage_point', 'usage_point_id');
call account_wide('tariff');
call account_wide('tariff_version');
call account_wide('billing_run');
call account_wide('statement');
call account_wide('statement_line');
call account_wide('billing_interval');
call bounded_by_building('fault');
-- The rules' own memory; the API has no right to it.
call unbounded('fault_state');
call unbounded('fault_beat');
call account_wide('fault_rule_setting', true);
call bounded_by_building('work_order');
call unbounded('work_order_count');
call bounded_by('work_order_event', 'work_order', 'order_id');
call bounded_by('work_order_photo', 'work_order', 'order_id');
call account_wide('work_order_setting', true);
-- A picture is reached through the row that names it, and that row has a place.
call unbounded('file');
call unbounded('job');

-- Readings have no row-level security: these functions are the way to them. Every one trusts this answer.
create or replace function reading_point_num(p_point uuid) returns int4
language sql stable security definer set search_path = pg_catalog, public, pg_temp as
$$ select p.num from point p where p.id = p_point and p.account_id = current_account() and current_tenant() is null
     and (current_buildings() is null or exists (
       select from equipment e where e.id = p.equipment_id and e.building_id = any (current_buildings()))) $$;

grant select, insert, delete on role_grant to parkline_app;
grant select on role_grant to parkline_worker;
grant select, insert on role_grant to parkline_gate;
grant select on site, building to parkline_gate;
create policy by_gate on role_grant to parkline_gate using (true) with check (true);
create policy by_gate on building for select to parkline_gate using (true);

drop function session_find(bytea, timestamptz, interval);
drop function setup_first_person(uuid, uuid, text, text, text, text[]);
grant create on schema public to parkline_gate;

-- What somebody was granted: [{"role": ..., "buildings": null | [id, ...]}], null meaning everywhere. A site stands for the
-- buildings that are on it at the moment.
create function grants_of(p_person uuid) returns jsonb
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'buildings',
    case
      when g.building_id is not null then jsonb_build_array(g.building_id)
      when g.site_id is not null then
        (select coalesce(jsonb_agg(b.id order by b.id), '[]') from public.building b where b.site_id = g.site_id)
    end) order by g.role, g.id), '[]')
  from public.role_grant g where g.person_id = p_person
$$;
alter function grants_of(uuid) owner to parkline_gate;

-- The living session of a cookie, with what its person was granted.
create function session_find(cookie_hash bytea, at timestamptz, idle interval) returns table (
  session_id uuid, account_id uuid, tenant_id uuid, person_id uuid, login text, name text, grants jsonb
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- Notes that it was seen, at most once a minute: a page makes dozens of requests.
  update public.session s set seen_at = at
    where s.token_hash = cookie_hash and s.expires_at > at
      and s.seen_at > at - idle and s.seen_at < at - least(interval '1 minute', idle / 4);
  return query
    select s.id, s.account_id, p.tenant_id, p.id, p.login, p.name, public.grants_of(p.id)
    from public.session s
    join public.person p on p.id = s.person_id and p.disabled_at is null
    where s.token_hash = cookie_hash and s.expires_at > at and s.seen_at > at - idle;
end
$$;
alter function session_find(bytea, timestamptz, interval) owner to parkline_gate;

-- Makes the first person, and the account where the park is empty. Returns the account, or null when a person exists:
-- two who come at once are put in a row, and the second is refused.
create function setup_first_person(
  new_account uuid, person_id uuid, person_login text, person_name text, hash text, person_roles text[]
) returns uuid
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  home uuid;
begin
  perform pg_advisory_xact_lock(7215350003);
  if exists (select from public.person) then
    return null;
  end if;
  select a.id into home from public.account a order by a.created_at, a.id limit 1;
  if home is null then
    home := new_account;
    insert into public.account (id, key, name) values (home, 'park', '{"en": "Park", "zh": "园区"}');
  end if;
  insert into public.person (id, account_id, login, name, password_hash)
    values (person_id, home, person_login, person_name, hash);
  insert into public.role_grant (id, account_id, person_id, role)
    select gen_random_uuid(), home, person_id, r from unnest(person_roles) r;
  return home;
end
$$;
alter function setup_first_person(uuid, uuid, text, text, text, text[]) owner to parkline_gate;

revoke create on schema public from parkline_gate;
grant execute on function
  grants_of(uuid), session_find(bytea, timestamptz, interval),
  setup_first_person(uuid, uuid, text, text, text, text[])
  to parkline_app;
