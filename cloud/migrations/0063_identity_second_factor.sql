-- Second factors of people, and what a session knows of them.

-- A secret that an authenticator app makes codes of.
create table totp (
  id uuid primary key,
  account_id uuid not null,
  person_id uuid not null,
  name text not null check (length(name) between 1 and 100),
  -- AES-256-GCM, see cloud/src/platform/secrets.ts.
  sealed_secret text not null,
  created_at timestamptz not null,
  -- Null until a first code proved that an app holds the secret; it opens nothing before.
  confirmed_at timestamptz,
  -- The time step of the last code that was taken: whoever saw that code cannot use it again.
  last_step bigint,
  used_at timestamptz,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index totp_person on totp (account_id, person_id);

-- A key in a device or a security token; the secret half never leaves it.
create table passkey (
  id uuid primary key,
  account_id uuid not null,
  person_id uuid not null,
  name text not null check (length(name) between 1 and 100),
  credential_id bytea not null unique,
  -- COSE key.
  public_key bytea not null,
  -- Signatures made so far, where the device counts them; else 0. One that falls is a copy of the device.
  counter bigint not null check (counter >= 0),
  -- How a browser reaches it: usb, nfc, ble, hybrid, internal.
  transports text[] not null,
  created_at timestamptz not null,
  used_at timestamptz,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index passkey_person on passkey (account_id, person_id);

-- For who lost the device. Each opens once.
create table recovery_code (
  account_id uuid not null,
  person_id uuid not null,
  -- SHA-256 of 79 random bits.
  code_hash bytea not null check (length(code_hash) = 32),
  used_at timestamptz,
  primary key (person_id, code_hash),
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);

alter table session
  -- When a second factor was last given in it; null: never.
  add column factor_at timestamptz,
  -- Where it was opened, for its person to tell it from others.
  add column ip inet,
  add column device text not null default '' check (length(device) <= 300),
  -- What a passkey has to sign next, base64url; taken back when it is answered.
  add column challenge text,
  add column challenge_at timestamptz;

-- Own rows of people. The routes ask by person; a tenant sees those of its own people at most.
do $$
declare
  target regclass;
begin
  foreach target in array array['totp', 'passkey', 'recovery_code']::regclass[] loop
    call protect_by_account(target);
    execute format(
      'create policy by_tenant on %1$s as restrictive to parkline_app, parkline_usage using (
         current_tenant() is null
         or exists (select from person p where p.account_id = %1$s.account_id and p.id = %1$s.person_id))',
      target
    );
    -- A person has no place.
    call unbounded(target);
  end loop;
end
$$;

grant select, insert, delete on totp, passkey, recovery_code to parkline_app;
grant update (name, confirmed_at, last_step, used_at) on totp to parkline_app;
grant update (counter, used_at) on passkey to parkline_app;
grant update (used_at) on recovery_code to parkline_app;
grant update (token_hash, factor_at, challenge, challenge_at) on session to parkline_app;

grant select on totp, passkey to parkline_gate;
create policy by_gate on totp for select to parkline_gate using (true);
create policy by_gate on passkey for select to parkline_gate using (true);

drop function session_find(bytea, timestamptz, interval);
drop function session_sweep(timestamptz, interval);
grant create on schema public to parkline_gate;

-- Which kinds of second factor somebody has.
create function factor_kinds(p_person uuid) returns text[]
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select array_remove(array[
    case when exists (select from public.totp t where t.person_id = p_person and t.confirmed_at is not null)
      then 'totp' end,
    case when exists (select from public.passkey k where k.person_id = p_person) then 'passkey' end
  ], null)
$$;
alter function factor_kinds(uuid) owner to parkline_gate;

-- The living session of a cookie, with what its person was granted. Silence ends the sessions of the operator's staff
-- earlier than those of tenants.
create function session_find(cookie_hash bytea, at timestamptz, staff_idle interval, tenant_idle interval) returns table (
  session_id uuid, account_id uuid, tenant_id uuid, person_id uuid, login text, name text, grants jsonb,
  factor_at timestamptz, factor_kinds text[]
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  -- Notes that it was seen, at most once a minute: a page makes dozens of requests.
  update public.session s set seen_at = at
    from public.person p
    where s.token_hash = cookie_hash and s.expires_at > at and p.id = s.person_id
      and s.seen_at > at - case when p.tenant_id is null then staff_idle else tenant_idle end
      and s.seen_at < at - least(interval '1 minute', staff_idle / 4);
  return query
    select s.id, s.account_id, p.tenant_id, p.id, p.login, p.name, public.grants_of(p.id),
      s.factor_at, public.factor_kinds(p.id)
    from public.session s
    join public.person p on p.id = s.person_id and p.disabled_at is null
    where s.token_hash = cookie_hash and s.expires_at > at
      and s.seen_at > at - case when p.tenant_id is null then staff_idle else tenant_idle end;
end
$$;
alter function session_find(bytea, timestamptz, interval, interval) owner to parkline_gate;

-- Sessions that are over, a bounded number at a time.
create function session_sweep(at timestamptz, staff_idle interval, tenant_idle interval) returns integer
  language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with gone as (
    delete from public.session where id in (
      select s.id from public.session s join public.person p on p.id = s.person_id
      where s.expires_at <= at or s.seen_at <= at - case when p.tenant_id is null then staff_idle else tenant_idle end
      limit 1000
    ) returning 1
  )
  select count(*)::integer from gone
$$;
alter function session_sweep(timestamptz, interval, interval) owner to parkline_gate;

-- Counts an attempt at anything that can be guessed as failed until login_succeeded takes it back. Returns null where it
-- may be made, else until when it may not.
create function attempt_begin(
  attempt_hash bytea, at timestamptz, free_failures integer, longest_lock interval
) returns timestamptz
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  seen public.login_attempt;
begin
  insert into public.login_attempt as a values (attempt_hash, 1, at)
    on conflict (login_hash) do update set failures = a.failures + 1, last_at = at
    where a.failures < free_failures
       or at >= a.last_at + least(longest_lock, interval '1 second' * (2 ^ least(a.failures - free_failures, 30)))
    returning a.* into seen;
  if seen.login_hash is not null then
    return null;
  end if;
  select a.* into seen from public.login_attempt a where a.login_hash = attempt_hash;
  return seen.last_at + least(longest_lock, interval '1 second' * (2 ^ least(seen.failures - free_failures, 30)));
end
$$;
alter function attempt_begin(bytea, timestamptz, integer, interval) owner to parkline_gate;

revoke create on schema public from parkline_gate;
grant execute on function
  factor_kinds(uuid), session_find(bytea, timestamptz, interval, interval),
  session_sweep(timestamptz, interval, interval), attempt_begin(bytea, timestamptz, integer, interval)
  to parkline_app;
