-- Whoever belongs to a tenant has that one role, and nobody has it without a tenant: a forgotten tenant_id would make
-- staff of a lessee.
alter table person add column tenant_id uuid;
alter table person add foreign key (account_id, tenant_id) references tenant (account_id, id);
alter table person add constraint person_tenant_role check (
  case when tenant_id is null then not 'tenant_admin' = any (roles) else roles = array['tenant_admin'] end
);
-- What a technician can do.
alter table person add column skills text[] not null default '{}';
alter table person add constraint person_skills check (
  skills <@ array['hvac', 'electrical', 'plumbing', 'elevator', 'security', 'metering']
);

-- Where a technician works: whole buildings, or floors. Without a row: everywhere.
create table person_area (
  account_id uuid not null,
  person_id uuid not null,
  building_id uuid,
  floor_id uuid,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade,
  foreign key (account_id, building_id) references building (account_id, id),
  foreign key (account_id, floor_id) references floor (account_id, id),
  check (num_nonnulls(building_id, floor_id) = 1),
  unique nulls not distinct (account_id, person_id, building_id, floor_id)
);
call protect_by_account('person_area');
call staff_only('person_area');
grant select on person_area to parkline_app;

call protect_by_tenant('person');
-- Sessions and deeds are those of the tenant's own people.
create policy by_tenant on session as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from person p where p.account_id = session.account_id and p.id = session.person_id)
);
create policy by_tenant on audit_event as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from person p where p.account_id = audit_event.account_id and p.id = audit_event.person_id)
);

-- The living session of a cookie, with the tenant of its person.
drop function session_find(bytea, timestamptz, interval);
grant create on schema public to parkline_gate;
create function session_find(cookie_hash bytea, at timestamptz, idle interval) returns table (
  session_id uuid, account_id uuid, tenant_id uuid, person_id uuid, login text, name text, roles text[]
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- Notes that it was seen, at most once a minute: a page makes dozens of requests.
  update public.session s set seen_at = at
    where s.token_hash = cookie_hash and s.expires_at > at
      and s.seen_at > at - idle and s.seen_at < at - least(interval '1 minute', idle / 4);
  return query
    select s.id, s.account_id, p.tenant_id, p.id, p.login, p.name, p.roles
    from public.session s
    join public.person p on p.id = s.person_id and p.disabled_at is null
    where s.token_hash = cookie_hash and s.expires_at > at and s.seen_at > at - idle;
end
$$;
alter function session_find(bytea, timestamptz, interval) owner to parkline_gate;
revoke create on schema public from parkline_gate;
grant execute on function session_find(bytea, timestamptz, interval) to parkline_app;
