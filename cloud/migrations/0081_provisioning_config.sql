-- Configurations for gateways: every text that was offered, by whom, and what became of it.
create table gateway_config (
  id uuid primary key,
  account_id uuid not null,
  gateway_id uuid not null,
  -- 1, 2, 3, ... within the gateway.
  n integer not null check (n > 0),
  -- gateway.yaml; where a secret belongs it holds a mark, and the secret is put in as it is signed.
  yaml text not null check (length(yaml) <= 4000000),
  -- made: from what the cloud knows. file: as somebody gave it. gateway: as it runs there.
  source text not null check (source in ('made', 'file', 'gateway')),
  created_at timestamptz not null,
  created_by uuid,
  -- SHA-256 (hex) of the text as it was signed; by it the gateway names it.
  sent_hash text,
  -- Names the offer; a later one wins.
  offered_at timestamptz,
  state text not null check (state in ('waiting', 'sent', 'applied', 'kept', 'rolled-back', 'refused', 'overtaken')),
  -- Why it was refused or rolled back, in the gateway's words.
  why text not null default '',
  ended_at timestamptz,
  foreign key (account_id, gateway_id) references gateway (account_id, id) on delete cascade,
  foreign key (account_id, created_by) references person (account_id, id),
  unique (account_id, gateway_id, n)
);
create index gateway_config_open on gateway_config (gateway_id) where state in ('waiting', 'sent');
create index gateway_config_hash on gateway_config (gateway_id, sent_hash);
call protect_by_account('gateway_config');
call staff_only('gateway_config');
call bounded_by('gateway_config', 'gateway', 'gateway_id');
grant select, insert on gateway_config to parkline_app, parkline_ingest;
grant update (state, ended_at) on gateway_config to parkline_app;
grant update (sent_hash, offered_at, state, why, ended_at) on gateway_config to parkline_ingest;
create policy by_ingest on gateway_config to parkline_ingest using (true) with check (true);

-- What was mapped on the gateway itself, offered to the cloud: devices and points with the ids that they got there.
create table gateway_mapping (
  id uuid primary key,
  account_id uuid not null,
  gateway_id uuid not null,
  hash text not null,
  devices jsonb not null,
  received_at timestamptz not null,
  state text not null check (state in ('offered', 'accepted', 'rejected', 'overtaken')),
  decided_at timestamptz,
  decided_by uuid,
  foreign key (account_id, gateway_id) references gateway (account_id, id) on delete cascade,
  foreign key (account_id, decided_by) references person (account_id, id),
  unique (account_id, gateway_id, hash)
);
call protect_by_account('gateway_mapping');
call staff_only('gateway_mapping');
call bounded_by('gateway_mapping', 'gateway', 'gateway_id');
grant select on gateway_mapping to parkline_app;
grant update (state, decided_at, decided_by) on gateway_mapping to parkline_app;
grant select, insert, update on gateway_mapping to parkline_ingest;
create policy by_ingest on gateway_mapping to parkline_ingest using (true) with check (true);

-- Something that a gateway is asked to do beside writing points: change its keys, show its log. The signer sends it.
create table gateway_ask (
  id uuid primary key,
  account_id uuid not null,
  gateway_id uuid not null,
  what text not null check (what in ('rotate', 'logs')),
  lines integer check (lines between 1 and 2000),
  asked_at timestamptz not null,
  asked_by uuid,
  expires_at timestamptz not null,
  sent_at timestamptz,
  answered_at timestamptz,
  -- Lines of a log; gone when somebody has read them.
  answer jsonb,
  foreign key (account_id, gateway_id) references gateway (account_id, id) on delete cascade,
  foreign key (account_id, asked_by) references person (account_id, id)
);
create index gateway_ask_open on gateway_ask (expires_at) where answered_at is null;
call protect_by_account('gateway_ask');
call staff_only('gateway_ask');
call bounded_by('gateway_ask', 'gateway', 'gateway_id');
grant select, insert, delete on gateway_ask to parkline_app, parkline_ingest;
grant update (sent_at, answered_at, answer) on gateway_ask to parkline_ingest;
create policy by_ingest on gateway_ask to parkline_ingest using (true) with check (true);

create function gateway_desk_notify() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('parkline_desk', '');
  return null;
end
$$;
create trigger gateway_desk_notify after insert on gateway_config
  for each row when (new.state = 'waiting') execute function gateway_desk_notify();
create trigger gateway_desk_notify after insert on gateway_ask for each row execute function gateway_desk_notify();
