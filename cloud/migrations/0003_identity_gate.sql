-- What must be looked up before an account is known. The functions belong to parkline_gate, which sees every account's
-- people and sessions and nothing else; the API may only call them. The search path is pinned, so that nobody's
-- table or operator of the same name is taken instead.
grant select on account, person to parkline_gate;
grant insert on account, person to parkline_gate;
grant select, update, delete on session to parkline_gate;
grant select, insert, update, delete on login_attempt to parkline_gate;
create policy by_gate on account to parkline_gate using (true) with check (true);
create policy by_gate on person to parkline_gate using (true) with check (true);
create policy by_gate on session to parkline_gate using (true) with check (true);

-- Handing a function over needs the right to create in its schema, for this moment only.
grant create on schema public to parkline_gate;

-- The person of a login, and how long the login is locked. Counts the attempt as failed before the password is checked,
-- so that many attempts at once cannot slip through together; login_succeeded takes it back.
create function login_begin(
  login_typed text, typed_hash bytea, at timestamptz, free_failures integer, longest_lock interval
) returns table (
  locked_until timestamptz, person_id uuid, account_id uuid, password_hash text
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  seen public.login_attempt;
begin
  delete from public.login_attempt a where a.last_at < at - interval '1 day';
  insert into public.login_attempt as a values (typed_hash, 1, at)
    on conflict (login_hash) do update set failures = a.failures + 1, last_at = at
    where a.failures < free_failures
       or at >= a.last_at + least(longest_lock, interval '1 second' * (2 ^ least(a.failures - free_failures, 30)))
    returning a.* into seen;
  if seen.login_hash is null then
    select a.* into seen from public.login_attempt a where a.login_hash = typed_hash;
    return query select
      seen.last_at + least(longest_lock, interval '1 second' * (2 ^ least(seen.failures - free_failures, 30))),
      null::uuid, null::uuid, null::text;
    return;
  end if;
  return query
    select null::timestamptz, p.id, p.account_id, p.password_hash
    from (values (1)) as one
    left join public.person p on lower(p.login) = lower(login_typed) and p.disabled_at is null;
end
$$;
alter function login_begin(text, bytea, timestamptz, integer, interval) owner to parkline_gate;

create function login_succeeded(typed_hash bytea) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$ delete from public.login_attempt where login_hash = typed_hash $$;
alter function login_succeeded(bytea) owner to parkline_gate;

-- The living session of a cookie. Notes that it was seen, at most once a minute: a page makes dozens of requests.
create function session_find(cookie_hash bytea, at timestamptz, idle interval) returns table (
  session_id uuid, account_id uuid, person_id uuid, login text, name text, roles text[]
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.session s set seen_at = at
    where s.token_hash = cookie_hash and s.expires_at > at
      and s.seen_at > at - idle and s.seen_at < at - least(interval '1 minute', idle / 4);
  return query
    select s.id, s.account_id, p.id, p.login, p.name, p.roles
    from public.session s
    join public.person p on p.id = s.person_id and p.disabled_at is null
    where s.token_hash = cookie_hash and s.expires_at > at and s.seen_at > at - idle;
end
$$;
alter function session_find(bytea, timestamptz, interval) owner to parkline_gate;

-- Sessions that are over, a bounded number at a time.
create function session_sweep(at timestamptz, idle interval) returns integer
  language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with gone as (
    delete from public.session where id in (
      select s.id from public.session s where s.expires_at <= at or s.seen_at <= at - idle limit 1000
    ) returning 1
  )
  select count(*)::integer from gone
$$;
alter function session_sweep(timestamptz, interval) owner to parkline_gate;

create function setup_needed() returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select not exists (select from public.person) $$;
alter function setup_needed() owner to parkline_gate;

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
  insert into public.person (id, account_id, login, name, password_hash, roles)
    values (person_id, home, person_login, person_name, hash, person_roles);
  return home;
end
$$;
alter function setup_first_person(uuid, uuid, text, text, text, text[]) owner to parkline_gate;

-- The account of a key, for the command line of an owner that is bound by the policies too.
create function account_of_key(account_key text) returns uuid
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select id from public.account where key = account_key $$;
alter function account_of_key(text) owner to parkline_gate;

revoke create on schema public from parkline_gate;

grant execute on function
  login_begin(text, bytea, timestamptz, integer, interval), login_succeeded(bytea),
  session_find(bytea, timestamptz, interval), session_sweep(timestamptz, interval),
  setup_needed(), setup_first_person(uuid, uuid, text, text, text, text[])
  to parkline_app;
