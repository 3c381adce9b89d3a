-- Keys of programs: each made by a person, for some of that person's rights and buildings, until a day. What its maker no
-- longer may, the key may not either.
create table api_key (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null check (length(name) between 1 and 200),
  -- Who made it, and as whom it acts.
  person_id uuid not null,
  secret_hash bytea not null check (length(secret_hash) = 32),
  -- Permissions.
  scopes text[] not null check (cardinality(scopes) > 0),
  -- Null: wherever its maker may.
  building_ids uuid[] check (cardinality(building_ids) > 0),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index api_key_account on api_key (account_id, id);
call protect_by_account('api_key');
call staff_only('api_key');
call account_wide('api_key');
grant select, insert, update (revoked_at) on api_key to parkline_app;

grant select, update on api_key to parkline_gate;
create policy by_gate on api_key to parkline_gate using (true) with check (true);
grant create on schema public to parkline_gate;

-- The key of a request, while it holds and its maker may log in. Notes its use, at most once a minute.
create function api_key_find(key_id uuid, hash bytea, at timestamptz) returns table (
  account_id uuid, tenant_id uuid, person_id uuid, scopes text[], building_ids uuid[], grants jsonb
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.api_key k set last_used_at = at
    where k.id = key_id and k.secret_hash = hash and k.revoked_at is null and k.expires_at > at
      and (k.last_used_at is null or k.last_used_at < at - interval '1 minute');
  return query
    select k.account_id, p.tenant_id, p.id, k.scopes, k.building_ids, public.grants_of(p.id)
    from public.api_key k
    join public.person p on p.id = k.person_id and p.account_id = k.account_id and p.disabled_at is null
    where k.id = key_id and k.secret_hash = hash and k.revoked_at is null and k.expires_at > at;
end
$$;
alter function api_key_find(uuid, bytea, timestamptz) owner to parkline_gate;
revoke create on schema public from parkline_gate;
revoke execute on function api_key_find(uuid, bytea, timestamptz) from public;
grant execute on function api_key_find(uuid, bytea, timestamptz) to parkline_app;

-- What a program did is told from what its maker did. Before audit_salt, by name, so that it is part of the chain.
create function audit_by_key() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  key text := nullif(current_setting('app.api_key_id', true), '');
begin
  if key is not null then
    new.content := coalesce(new.content, '{}') || jsonb_build_object('apiKeyId', key);
  end if;
  return new;
end
$$;
create trigger audit_by_key before insert on audit_event for each row execute function audit_by_key();
