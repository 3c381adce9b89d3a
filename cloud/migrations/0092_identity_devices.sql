-- Browsers in which somebody logged in: wrong passwords from elsewhere do not keep that person out of them.
create table known_device (
  -- SHA-256 of the cookie: who reads this table cannot pass for the browser.
  token_hash bytea not null check (length(token_hash) = 32),
  account_id uuid not null,
  person_id uuid not null,
  used_at timestamptz not null,
  primary key (token_hash, person_id),
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index known_device_person on known_device (account_id, person_id, used_at desc);
create index known_device_age on known_device (used_at);
call protect_by_account('known_device');
create policy by_tenant on known_device as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from person p where p.account_id = known_device.account_id and p.id = known_device.person_id)
);
-- A person has no place.
call unbounded('known_device');
grant select, delete on known_device to parkline_app;
grant select, insert, update, delete on known_device to parkline_gate;
create policy by_gate on known_device to parkline_gate using (true) with check (true);
-- What is over its time is dropped for all accounts, unread.
grant select (token_hash, person_id, used_at), delete on known_device to parkline_worker;
create policy by_worker on known_device to parkline_worker using (true);
drop index idempotency_key_age;
create index idempotency_key_age on idempotency_key (begun_at);
grant select (account_id, actor_id, key, begun_at), delete on idempotency_key to parkline_worker;
create policy by_worker on idempotency_key to parkline_worker using (true);

grant create on schema public to parkline_gate;

-- Under what an attempt at a login counts: in a browser where this person logged in before, its own; else the login's,
-- which is also the answer for a login that nobody has.
create function login_bucket(login_typed text, typed_hash bytea, device_hash bytea, oldest timestamptz) returns bytea
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select case when exists (
    select from public.known_device d join public.person p on p.id = d.person_id and p.disabled_at is null
    where d.token_hash = device_hash and lower(p.login) = lower(login_typed) and d.used_at > oldest
  ) then sha256(device_hash || typed_hash) else typed_hash end
$$;
alter function login_bucket(text, bytea, bytea, timestamptz) owner to parkline_gate;

-- Somebody of the account logged in here. The browser gets another token for everybody it knows: a copy of the old one is
-- worth nothing. Of one person the latest `most` browsers are known.
create function device_used(old_hash bytea, new_hash bytea, p_person uuid, at timestamptz, most integer) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.known_device set token_hash = new_hash where token_hash = old_hash;
  insert into public.known_device as d (token_hash, account_id, person_id, used_at)
    select new_hash, p.account_id, p.id, at from public.person p
    where p.account_id = public.current_account() and p.id = p_person
    on conflict (token_hash, person_id) do update set used_at = excluded.used_at;
  delete from public.known_device d using (
    select k.token_hash from public.known_device k
    where k.account_id = public.current_account() and k.person_id = p_person
    order by k.used_at desc, k.token_hash offset most
  ) old
  where d.token_hash = old.token_hash and d.person_id = p_person;
end
$$;
alter function device_used(bytea, bytea, uuid, timestamptz, integer) owner to parkline_gate;

revoke create on schema public from parkline_gate;
grant execute on function
  login_bucket(text, bytea, bytea, timestamptz), device_used(bytea, bytea, uuid, timestamptz, integer)
  to parkline_app;

-- What the audit keeps of a person is for who may act on that person: staff of the account, and of those who act in some
-- buildings only who acts wherever the person has rights.
grant select on role_grant, building, invitation to parkline_audit;
grant create on schema public to parkline_audit;

create function audit_reaches(p_person uuid) returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select public.current_tenant() is null
    and exists (select from public.person p where p.account_id = public.current_account() and p.id = p_person)
    and (public.current_buildings() is null or not exists (
      select from public.role_grant g
      left join public.building b on b.account_id = g.account_id and (b.id = g.building_id or b.site_id = g.site_id)
      where g.account_id = public.current_account() and g.person_id = p_person
        and (b.id is null or b.id <> all (public.current_buildings()))
    ))
$$;
alter function audit_reaches(uuid) owner to parkline_audit;

create or replace function audit_of_person(p_person uuid)
returns table (seq bigint, at timestamptz, person_id uuid, action text, subject_id uuid, content jsonb)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select e.seq, e.at, e.person_id, e.action, e.subject_id, e.content from public.audit_event e
  where e.account_id = public.current_account() and public.audit_reaches(p_person)
    and (e.person_id = p_person or e.subject_id = p_person)
  order by e.seq
$$;
alter function audit_of_person(uuid) owner to parkline_audit;

-- Forgets what is personal in the entries by and about a person, and about the invitations of that person. Who did what and
-- when stays, by a number without a name. Nobody else's entries are touched, however it is called. @returns how many.
create or replace function audit_forget(p_person uuid) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  gone integer;
begin
  if not public.audit_reaches(p_person) then
    raise insufficient_privilege using message = 'the audit forgets people of the account only, for who may act on them';
  end if;
  update public.audit_event e set content = null, content_salt = null
    where e.account_id = public.current_account() and e.content is not null
      and (e.subject_id = p_person or (e.person_id = p_person and e.content ? 'ip') or e.subject_id in (
        select i.id from public.invitation i join public.person p on p.account_id = i.account_id and p.id = p_person
        where i.account_id = public.current_account() and (i.person_id = p.id or lower(i.login) = lower(p.login))));
  get diagnostics gone = row_count;
  return gone;
end
$$;
alter function audit_forget(uuid) owner to parkline_audit;

revoke create on schema public from parkline_audit;
