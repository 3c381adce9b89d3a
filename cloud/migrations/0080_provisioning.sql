-- How a gateway joins, stays and leaves: codes, the keys that it made, what was signed for them.

alter table gateway
  add column version integer not null default 1,
  -- Ed25519, SPKI PEM: made and signed for, and not yet heard from. Until then both keys count, so a change of keys has no gap.
  add column next_public_key text,
  -- From here on nothing that it sends is believed; a later claim takes this back.
  add column revoked_at timestamptz,
  add column claimed_at timestamptz,
  add column connected_at timestamptz,
  add column configured_at timestamptz;
grant insert (id, account_id, building_id, key, name), delete on gateway to parkline_app;
grant update (building_id, key, name, version, public_key, next_public_key, revoked_at, claimed_at, connected_at,
  configured_at) on gateway to parkline_app;
grant update (public_key, next_public_key, connected_at, configured_at) on gateway to parkline_ingest;
create policy by_ingest_update on gateway for update to parkline_ingest using (true) with check (true);

-- Ingest believes keys for a moment without asking: a change reaches it at once.
create function gateway_notify() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('parkline_gateway', new.id::text);
  return null;
end
$$;
create trigger gateway_notify after update of public_key, next_public_key, revoked_at on gateway
  for each row execute function gateway_notify();

create table claim_code (
  id uuid primary key,
  account_id uuid not null,
  gateway_id uuid not null,
  -- SHA-256 of 95 random bits: too many to try, so no slow hash is needed.
  code_hash bytea not null unique check (length(code_hash) = 32),
  created_at timestamptz not null,
  created_by uuid,
  expires_at timestamptz not null check (expires_at > created_at and expires_at <= created_at + interval '7 days'),
  revoked_at timestamptz,
  -- When a gateway used it, and the key that may have the answer again.
  burned_at timestamptz,
  burned_nkey text,
  -- Last time that somebody else tried it after it was used.
  reused_at timestamptz,
  failures integer not null default 0,
  failed_at timestamptz,
  unique (account_id, id),
  check ((burned_at is null) = (burned_nkey is null)),
  foreign key (account_id, gateway_id) references gateway (account_id, id) on delete cascade,
  foreign key (account_id, created_by) references person (account_id, id)
);
create index claim_code_gateway on claim_code (account_id, gateway_id, id);
call protect_by_account('claim_code');
call staff_only('claim_code');
call bounded_by('claim_code', 'gateway', 'gateway_id');
grant select, insert on claim_code to parkline_app;
grant update (revoked_at, burned_at, burned_nkey, reused_at, failures, failed_at) on claim_code to parkline_app;

-- A fresh number for each attempt: what was signed once is of no use a second time.
create table claim_challenge (
  hash bytea primary key check (length(hash) = 32),
  account_id uuid not null,
  code_id uuid not null,
  expires_at timestamptz not null,
  foreign key (account_id, code_id) references claim_code (account_id, id) on delete cascade
);
create index claim_challenge_code on claim_challenge (account_id, code_id);
call protect_by_account('claim_challenge');
call staff_only('claim_challenge');
call bounded_by('claim_challenge', 'claim_code', 'code_id');
grant select, insert, delete on claim_challenge to parkline_app;

-- The account of a code, before anybody is known.
grant select (id, account_id, code_hash) on claim_code to parkline_gate;
create policy by_gate on claim_code for select to parkline_gate using (true);
grant create on schema public to parkline_gate;
create function claim_code_account(typed_hash bytea) returns uuid
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select account_id from public.claim_code where code_hash = typed_hash $$;
alter function claim_code_account(bytea) owner to parkline_gate;
revoke create on schema public from parkline_gate;
grant execute on function claim_code_account(bytea) to parkline_app;

-- The keys that a gateway made, public halves only, and what was signed for them.
create table gateway_credential (
  id uuid primary key,
  account_id uuid not null,
  gateway_id uuid not null,
  -- User of the message server ("U...").
  nkey text not null unique,
  -- Ed25519 and P-256, SPKI PEM.
  signing_key text not null,
  tls_key text not null,
  -- Null: it came by a change of keys.
  code_id uuid,
  created_at timestamptz not null,
  -- The signer is to sign (again) for these keys.
  issue_due boolean not null default true,
  issued_at timestamptz,
  jwt text,
  certificate text,
  ca text,
  expires_at timestamptz,
  -- Why nothing could be signed; null: nothing stands in the way.
  failure text,
  -- Everything signed up to this instant is void.
  revoked_at timestamptz,
  -- When the message server said that it holds the revocation.
  revoke_pushed_at timestamptz,
  foreign key (account_id, gateway_id) references gateway (account_id, id) on delete cascade,
  foreign key (account_id, code_id) references claim_code (account_id, id),
  unique (account_id, id)
);
create index gateway_credential_gateway on gateway_credential (account_id, gateway_id, created_at);
create index gateway_credential_due on gateway_credential (id) where issue_due and revoked_at is null;
create index gateway_credential_push on gateway_credential (id) where revoked_at is not null and revoke_pushed_at is null;
call protect_by_account('gateway_credential');
call staff_only('gateway_credential');
call bounded_by('gateway_credential', 'gateway', 'gateway_id');
grant select, insert on gateway_credential to parkline_app, parkline_ingest;
grant update (issue_due, revoked_at, failure) on gateway_credential to parkline_app, parkline_ingest;
create policy by_ingest on gateway_credential to parkline_ingest using (true) with check (true);

create function gateway_credential_notify() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('parkline_provision', '');
  return null;
end
$$;
create trigger gateway_credential_notify after insert or update of issue_due, revoked_at on gateway_credential
  for each row when (new.issue_due or new.revoked_at is not null) execute function gateway_credential_notify();

-- The signer: the process that holds the keys by which gateways are let in. It sees these rows and nothing else.
do $$
begin
  begin
    create role parkline_provisioner nologin nosuperuser nocreatedb nocreaterole nobypassrls noinherit;
  exception
    when duplicate_object or unique_violation then null;
  end;
  if not pg_has_role(current_user, 'parkline_provisioner', 'set') then
    grant parkline_provisioner to current_user;
  end if;
end
$$;
grant usage on schema public to parkline_provisioner;
grant execute on function current_account(), current_tenant(), current_buildings() to parkline_provisioner;
grant select on gateway_credential to parkline_provisioner;
grant update (issue_due, issued_at, jwt, certificate, ca, expires_at, failure, revoke_pushed_at) on gateway_credential
  to parkline_provisioner;
create policy by_provisioner on gateway_credential to parkline_provisioner using (true) with check (true);

-- Public half of the key that signs receipts, commands and configurations: told by the process that holds it, and given to
-- every gateway that is claimed.
create table cloud_key (
  only_one boolean primary key default true check (only_one),
  public_key text not null,
  at timestamptz not null
);
grant select, insert, update on cloud_key to parkline_ingest;
grant select on cloud_key to parkline_gate;
grant create on schema public to parkline_gate;
create function cloud_public_key() returns text
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select public_key from public.cloud_key $$;
alter function cloud_public_key() owner to parkline_gate;
revoke create on schema public from parkline_gate;
grant execute on function cloud_public_key() to parkline_app;
