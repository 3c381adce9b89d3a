-- People are administered: written to by mail, invited, sent a link when they forgot the password, and erased.

-- Null: nobody can log in with a password as this person.
alter table person alter column password_hash drop not null;
alter table person
  add column version integer not null default 1 check (version > 0),
  add column email text check (email ~ '^[^\s@<>,;:"()\\]{1,64}@[^\s@<>,;:"()\\]{1,190}$' and length(email) <= 254),
  add column language text not null default 'zh-CN' check (language in ('zh-CN', 'en')),
  -- Since when nothing personal is left in the row.
  add column erased_at timestamptz,
  add constraint person_erased check (erased_at is null or (
    disabled_at is not null and email is null and password_hash is null and skills = '{}'
  ));
create index person_name on person (account_id, lower(name), id);

grant insert on person to parkline_app;
grant update (login, name, email, language, skills, version, disabled_at, erased_at) on person to parkline_app;
grant insert, delete on person_area to parkline_app;
-- Where a mail goes and in which language.
grant select (login, email, language) on person to parkline_worker;

-- Whoever holds the link of the mail becomes this person. The link exists in the mail alone: it is made when the mail is
-- sent, and only its hash is kept.
create table invitation (
  id uuid primary key,
  account_id uuid not null references account,
  tenant_id uuid,
  login text not null check (length(login) between 3 and 200),
  name text not null check (length(name) between 1 and 200),
  email text not null check (length(email) <= 254),
  language text not null check (language in ('zh-CN', 'en')),
  -- [{"role": ..., "siteId": null | id, "buildingId": null | id}]
  grants jsonb not null check (jsonb_typeof(grants) = 'array' and jsonb_array_length(grants) > 0),
  token_hash bytea unique check (length(token_hash) = 32),
  invited_by uuid not null,
  created_at timestamptz not null,
  sent_at timestamptz,
  expires_at timestamptz not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  -- Who came of it.
  person_id uuid,
  foreign key (account_id, tenant_id) references tenant (account_id, id),
  foreign key (account_id, invited_by) references person (account_id, id),
  foreign key (account_id, person_id) references person (account_id, id),
  check ((accepted_at is null) = (person_id is null)),
  check (num_nonnulls(accepted_at, revoked_at) <= 1)
);
-- One login is invited once at a time.
create unique index invitation_login on invitation (account_id, lower(login))
  where accepted_at is null and revoked_at is null;
create index invitation_person on invitation (account_id, person_id);
call protect_by_account('invitation');
call protect_by_tenant('invitation');
call account_wide('invitation');
grant select, insert, delete on invitation to parkline_app;
grant update (token_hash, login, name, email, sent_at, expires_at, accepted_at, revoked_at, person_id) on invitation
  to parkline_app;
grant select, update (token_hash, sent_at) on invitation to parkline_worker;

-- Somebody forgot the password; again the link exists in the mail alone.
create table password_reset (
  id uuid primary key,
  account_id uuid not null,
  person_id uuid not null,
  token_hash bytea unique check (length(token_hash) = 32),
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index password_reset_person on password_reset (account_id, person_id);
create index password_reset_expiry on password_reset (expires_at);
call protect_by_account('password_reset');
call staff_only('password_reset');
-- Asked for and used by who is not logged in.
call unbounded('password_reset');
grant select, insert, delete on password_reset to parkline_app;
grant update (used_at) on password_reset to parkline_app;
grant select, update (token_hash) on password_reset to parkline_worker;

-- What must be looked up before an account is known, as in 0003.
grant select on invitation, password_reset to parkline_gate;
create policy by_gate on invitation for select to parkline_gate using (true);
create policy by_gate on password_reset for select to parkline_gate using (true);
grant create on schema public to parkline_gate;

create function invitation_find(hash bytea) returns table (account_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select i.account_id, i.id from public.invitation i where i.token_hash = hash $$;
alter function invitation_find(bytea) owner to parkline_gate;

create function reset_find(hash bytea) returns table (account_id uuid, id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select r.account_id, r.id from public.password_reset r where r.token_hash = hash $$;
alter function reset_find(bytea) owner to parkline_gate;

-- Whose login it is, else whose mail address; nobody who has no address to write to.
create function reset_person(typed text) returns table (account_id uuid, person_id uuid)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select p.account_id, p.id from public.person p
  where p.disabled_at is null and (lower(p.login) = lower(typed) or lower(p.email) = lower(typed))
    and (p.email is not null or p.login ~ '^[^\s@<>,;:"()\\]{1,64}@[^\s@<>,;:"()\\]{1,190}$')
  order by (lower(p.login) = lower(typed)) desc, p.created_at, p.id
  limit 1
$$;
alter function reset_person(text) owner to parkline_gate;

-- Puts the mail of an invitation into the queue, which is the staff's own: for whoever may see the invitation.
grant select, insert, update on job to parkline_gate;
create policy by_gate on job to parkline_gate using (task = 'invitation.send') with check (task = 'invitation.send');
create function invitation_post(job_id uuid, invitation_id uuid, at timestamptz) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  tenant text := current_setting('app.tenant_id', true);
begin
  if not exists (
    select from public.invitation i where i.id = invitation_id and i.account_id = public.current_account()
      and (public.current_tenant() is null or i.tenant_id = public.current_tenant())
  ) then
    raise exception 'no such invitation' using errcode = 'no_data_found';
  end if;
  perform set_config('app.tenant_id', '', true);
  insert into public.job (id, account_id, task, key, payload, due_at)
    values (job_id, public.current_account(), 'invitation.send', invitation_id::text, '{}', at)
    on conflict (account_id, task, key) do update
    set due_at = excluded.due_at, attempts = 0, starts = 0, last_error = null, dead_at = null;
  perform set_config('app.tenant_id', coalesce(tenant, ''), true);
end
$$;
alter function invitation_post(uuid, uuid, timestamptz) owner to parkline_gate;

revoke create on schema public from parkline_gate;
grant execute on function invitation_find(bytea), reset_find(bytea), reset_person(text),
  invitation_post(uuid, uuid, timestamptz) to parkline_app;
-- What people of a tenant do is in the chain as well.
drop policy by_tenant on audit_head;
create policy by_tenant on audit_head as restrictive
  using (current_tenant() is null or current_user = 'parkline_usage' or current_user = 'parkline_audit')
  with check (current_tenant() is null or current_user = 'parkline_audit');

create index person_email on person (lower(email)) where email is not null;
