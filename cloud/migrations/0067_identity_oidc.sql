-- Logging in through an identity provider (OpenID Connect Core 1.0) that the account configured.
create table identity_provider (
  id uuid primary key,
  account_id uuid not null references account,
  -- As the login page names it.
  name text not null check (length(name) between 1 and 100),
  issuer text not null check (issuer ~ '^https?://' and length(issuer) <= 500),
  client_id text not null check (length(client_id) between 1 and 500),
  -- AES-256-GCM, see cloud/src/platform/secrets.ts. Null: a public client, PKCE alone.
  sealed_client_secret text,
  -- Whether what the provider says of a second factor (amr mfa, or one of these acr) is believed.
  trust_second_factor boolean not null default false,
  second_factor_acr text[] not null default '{}',
  -- The role of somebody who is verified by the provider and unknown here; null: such a person is refused.
  default_role text check (default_role in ('facility_engineer', 'technician', 'supervisor', 'finance_officer',
    'leasing_officer', 'guard', 'executive', 'installer')),
  version integer not null default 1 check (version > 0),
  created_at timestamptz not null default now(),
  unique (account_id, id),
  unique (account_id, issuer, client_id)
);
call protect_by_account('identity_provider');
call staff_only('identity_provider');
call account_wide('identity_provider', true);
grant select, insert, delete on identity_provider to parkline_app;
grant update (name, issuer, client_id, sealed_client_secret, trust_second_factor, second_factor_acr, default_role, version)
  on identity_provider to parkline_app;

-- Who somebody is at a provider.
create table person_identity (
  account_id uuid not null,
  provider_id uuid not null,
  -- The `sub` of the provider: never given to another person there.
  subject text not null check (length(subject) between 1 and 255),
  person_id uuid not null,
  linked_at timestamptz not null,
  primary key (provider_id, subject),
  unique (provider_id, person_id),
  foreign key (account_id, provider_id) references identity_provider (account_id, id) on delete cascade,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index person_identity_person on person_identity (account_id, person_id);
call protect_by_account('person_identity');
create policy by_tenant on person_identity as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from person p where p.account_id = person_identity.account_id and p.id = person_identity.person_id)
);
-- A person has no place.
call unbounded('person_identity');
grant select, insert, delete on person_identity to parkline_app;

-- A login under way: what the answer of the provider is held against. Deleted when the answer comes, right or wrong.
create table oidc_flow (
  -- SHA-256 of the `state` that the provider hands back.
  state_hash bytea primary key check (length(state_hash) = 32),
  account_id uuid not null references account,
  provider_id uuid not null,
  -- SHA-256 of a cookie: the answer counts in the browser that asked and in no other.
  browser_hash bytea not null check (length(browser_hash) = 32),
  nonce text not null,
  code_verifier text not null,
  -- Path of the portal to go back to.
  back text not null check (back ~ '^/' and length(back) <= 2000),
  -- Set where somebody who is logged in links the own person.
  person_id uuid,
  expires_at timestamptz not null,
  foreign key (account_id, provider_id) references identity_provider (account_id, id) on delete cascade,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index oidc_flow_expiry on oidc_flow (expires_at);
call protect_by_account('oidc_flow');
call staff_only('oidc_flow');
-- Written and read before anybody is logged in.
call unbounded('oidc_flow');
grant select, insert, delete on oidc_flow to parkline_app;

grant select on identity_provider to parkline_gate;
grant select, delete on oidc_flow to parkline_gate;
create policy by_gate on identity_provider for select to parkline_gate using (true);
create policy by_gate on oidc_flow to parkline_gate using (true) with check (true);
grant create on schema public to parkline_gate;

-- What the login page offers.
create function login_providers() returns table (id uuid, name text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select p.id, p.name from public.identity_provider p order by lower(p.name), p.id limit 50 $$;
alter function login_providers() owner to parkline_gate;

create function provider_account(provider uuid) returns uuid
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select p.account_id from public.identity_provider p where p.id = provider $$;
alter function provider_account(uuid) owner to parkline_gate;

-- The login of a state, once.
create function oidc_flow_take(hash bytea) returns table (
  account_id uuid, provider_id uuid, browser_hash bytea, nonce text, code_verifier text, back text, person_id uuid,
  expires_at timestamptz
)
  language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  delete from public.oidc_flow f where f.state_hash = hash
  returning f.account_id, f.provider_id, f.browser_hash, f.nonce, f.code_verifier, f.back, f.person_id, f.expires_at
$$;
alter function oidc_flow_take(bytea) owner to parkline_gate;

-- Those that nobody came back from.
create function oidc_flow_sweep(at timestamptz) returns void
  language sql volatile security definer set search_path = pg_catalog, pg_temp
  as $$ delete from public.oidc_flow where expires_at <= at $$;
alter function oidc_flow_sweep(timestamptz) owner to parkline_gate;

revoke create on schema public from parkline_gate;
grant execute on function
  login_providers(), provider_account(uuid), oidc_flow_take(bytea), oidc_flow_sweep(timestamptz)
  to parkline_app;
