-- Releases of the gateways' program, and which gateway is to run which. A release is signed by a key that no server holds:
-- what lies here is only believed by a gateway when that signature is right.

create table release (
  id uuid primary key,
  account_id uuid not null references account,
  version text not null,
  platforms text[] not null,
  -- JSON text as it was signed, and its Ed25519 signature (base64url).
  manifest text not null,
  signature text not null,
  manifest_sha256 text not null check (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  pack_sha256 text not null check (pack_sha256 ~ '^[0-9a-f]{64}$'),
  pack_bytes bigint not null check (pack_bytes > 0),
  chunks integer not null check (chunks > 0),
  made_at timestamptz not null,
  uploaded_at timestamptz not null,
  uploaded_by uuid not null,
  unique (account_id, id),
  unique (account_id, manifest_sha256),
  foreign key (account_id, uploaded_by) references person (account_id, id)
);
call protect_by_account('release');
call staff_only('release');
call account_wide('release', true);
grant select, insert on release to parkline_app;

create table release_chunk (
  account_id uuid not null references account,
  release_id uuid not null,
  n integer not null check (n >= 0),
  bytes bytea not null,
  primary key (release_id, n),
  foreign key (account_id, release_id) references release (account_id, id) on delete cascade
);
call protect_by_account('release_chunk');
call staff_only('release_chunk');
call account_wide('release_chunk');
grant insert on release_chunk to parkline_app;

create table rollout (
  id uuid primary key,
  account_id uuid not null references account,
  release_id uuid not null,
  -- Where gateways fetch it instead, https; null: through the message server.
  url text check (url ~ '^https://'),
  state text not null check (state in ('running', 'stopped')),
  created_at timestamptz not null,
  created_by uuid not null,
  stopped_at timestamptz,
  unique (account_id, id),
  foreign key (account_id, release_id) references release (account_id, id),
  foreign key (account_id, created_by) references person (account_id, id),
  check ((state = 'stopped') = (stopped_at is not null))
);
call protect_by_account('rollout');
call staff_only('rollout');
call account_wide('rollout', true);
grant select, insert on rollout to parkline_app;
grant update (state, stopped_at) on rollout to parkline_app;

-- What becomes of one gateway under one rollout.
create table gateway_update (
  id uuid primary key,
  account_id uuid not null references account,
  rollout_id uuid not null,
  gateway_id uuid not null,
  -- waiting: not sent yet. sent: it may be fetching. stopping: to be taken back. applied: it runs, on trial.
  state text not null check (state in ('waiting', 'sent', 'stopping', 'applied', 'kept', 'rolled_back', 'refused', 'failed',
    'stopped', 'overtaken')),
  why text,
  -- Chunks that went out to it so far.
  chunks_sent integer not null default 0,
  offered_at timestamptz,
  changed_at timestamptz not null,
  unique (rollout_id, gateway_id),
  foreign key (account_id, rollout_id) references rollout (account_id, id),
  foreign key (account_id, gateway_id) references gateway (account_id, id) on delete cascade
);
create index gateway_update_gateway on gateway_update (account_id, gateway_id, id desc);
create index gateway_update_open on gateway_update (id) where state in ('waiting', 'sent', 'stopping');
call protect_by_account('gateway_update');
call staff_only('gateway_update');
call bounded_by('gateway_update', 'gateway', 'gateway_id');
grant select, insert on gateway_update to parkline_app;
grant update (state, changed_at) on gateway_update to parkline_app;

-- Whoever talks to gateways offers, hands out chunks, and hears what became of it, over all accounts.
grant select on release, release_chunk, rollout to parkline_ingest;
grant select on gateway_update to parkline_ingest;
grant update (state, why, chunks_sent, offered_at, changed_at) on gateway_update to parkline_ingest;
create policy by_ingest on release for select to parkline_ingest using (true);
create policy by_ingest on release_chunk for select to parkline_ingest using (true);
create policy by_ingest on rollout for select to parkline_ingest using (true);
create policy by_ingest on gateway_update to parkline_ingest using (true) with check (true);
