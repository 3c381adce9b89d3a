-- A park has the name that its administrators give it, from the set-up on: mails, reports and the portal are signed with it.

alter table account add column version integer not null default 1;

-- What was set up before has a name that nobody chose. Where it has one site, its mails were signed with that site's.
-- An owner that is bound by the policies sees no row.
alter table account no force row level security;
alter table site no force row level security;
update account a set name = s.name
  from site s
  where s.account_id = a.id and a.name = '{"en": "Park", "zh": "园区"}'
    and not exists (select from site other where other.account_id = a.id and other.id <> s.id);
alter table site force row level security;
alter table account force row level security;

-- Everybody in it reads its name; only staff that acts everywhere changes it.
grant update (name, version) on account to parkline_app;
call staff_writes('account');
drop policy by_building on account;
call account_wide('account', true);

drop function setup_first_person(uuid, uuid, text, text, text, text[]);
grant create on schema public to parkline_gate;

-- Whether there is an account already that the first person will belong to: it has its name.
create function setup_park_named() returns boolean
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select exists (select from public.account) $$;
alter function setup_park_named() owner to parkline_gate;

-- Makes the first person, and the account where the park is empty, under `park_name`. Returns the account, or null when a
-- person exists: two who come at once are put in a row, and the second is refused.
create function setup_first_person(
  new_account uuid, park_name jsonb, person_id uuid, person_login text, person_name text, hash text, person_roles text[]
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
    insert into public.account (id, key, name) values (home, 'park', park_name);
  end if;
  insert into public.person (id, account_id, login, name, password_hash)
    values (person_id, home, person_login, person_name, hash);
  insert into public.role_grant (id, account_id, person_id, role)
    select gen_random_uuid(), home, person_id, r from unnest(person_roles) r;
  return home;
end
$$;
alter function setup_first_person(uuid, jsonb, uuid, text, text, text, text[]) owner to parkline_gate;

revoke create on schema public from parkline_gate;
grant execute on function setup_park_named(), setup_first_person(uuid, jsonb, uuid, text, text, text, text[]) to parkline_app;
