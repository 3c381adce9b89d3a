create table gateway (
  id uuid primary key,
  account_id uuid not null,
  building_id uuid not null,
  key text not null,
  name jsonb not null,
  -- Ed25519, SPKI PEM: verifies what the gateway sends. Null until it is trusted.
  public_key text,
  foreign key (account_id, building_id) references building (account_id, id),
  unique (account_id, key),
  unique (account_id, id)
);

create table equipment (
  id uuid primary key,
  account_id uuid not null,
  building_id uuid not null,
  floor_id uuid,
  gateway_id uuid not null,
  -- The meter that this one hangs behind.
  submeter_of uuid,
  key text not null,
  name jsonb not null,
  -- 'three-phase-meter', 'water-meter', ...: folder of protocols/templates.
  kind text not null,
  -- '<kind>/<vendor>-<model>'.
  template text not null,
  protocol text not null,
  -- Key of the gateway's connection, and where on it: {"unit": 3, "transport": "tcp"}.
  bus text not null,
  params jsonb not null,
  foreign key (account_id, building_id) references building (account_id, id),
  foreign key (account_id, floor_id) references floor (account_id, id),
  foreign key (account_id, gateway_id) references gateway (account_id, id),
  unique (account_id, key),
  unique (account_id, id),
  foreign key (account_id, submeter_of) references equipment (account_id, id)
);
create index equipment_building on equipment (account_id, building_id, id);
create index equipment_gateway on equipment (account_id, gateway_id);

create table point (
  id uuid primary key,
  -- Names the point in the reading table: 4 bytes a row instead of 16.
  num integer generated always as identity unique,
  account_id uuid not null,
  equipment_id uuid not null,
  -- Template key, 'active_power_total'.
  key text not null,
  name jsonb not null,
  unit text not null,
  kind text not null check (kind in ('gauge', 'register', 'state')),
  -- Engineering value of one count; 1 for gauges and states.
  resolution double precision not null check (resolution > 0),
  decimals integer not null check (decimals between 0 and 6),
  protocol text not null,
  poll_ms integer not null check (poll_ms > 0),
  heartbeat_ms integer not null check (heartbeat_ms > 0),
  -- Silence after which a value is stale and history has a gap.
  stale_after_ms integer not null generated always as (heartbeat_ms + 2 * poll_ms) stored,
  foreign key (account_id, equipment_id) references equipment (account_id, id),
  unique (account_id, equipment_id, key),
  unique (account_id, id)
);

-- What a gateway last said of itself, and when it was last heard at all (health or data).
create table gateway_status (
  gateway_id uuid primary key,
  account_id uuid not null,
  -- The cloud's clock.
  heard_at timestamptz not null,
  -- The gateway's clock, of its last health message; later ones win.
  reported_at timestamptz,
  started_at timestamptz,
  version text,
  outbox_pending bigint,
  outbox_oldest_at timestamptz,
  outbox_bytes bigint,
  outbox_max_bytes bigint,
  foreign key (account_id, gateway_id) references gateway (account_id, id)
);

create table device_status (
  equipment_id uuid primary key,
  account_id uuid not null,
  state text not null check (state in ('online', 'silent', 'starting')),
  last_ok_at timestamptz,
  error text,
  reported_at timestamptz not null,
  foreign key (account_id, equipment_id) references equipment (account_id, id)
);

call protect_by_account('gateway');
call protect_by_account('equipment');
call protect_by_account('point');
call protect_by_account('gateway_status');
call protect_by_account('device_status');

grant select on gateway, equipment, point, gateway_status, device_status to parkline_app;

-- Messages name a gateway and its points, not an account: ingest looks them up over all accounts.
grant select on gateway, equipment, point to parkline_ingest;
grant select, insert, update on gateway_status, device_status to parkline_ingest;
create policy by_ingest on gateway for select to parkline_ingest using (true);
create policy by_ingest on equipment for select to parkline_ingest using (true);
create policy by_ingest on point for select to parkline_ingest using (true);
create policy by_ingest on gateway_status to parkline_ingest using (true) with check (true);
create policy by_ingest on device_status to parkline_ingest using (true) with check (true);

-- For the command line, which is told a gateway's key and not its account. Owned by parkline_gate, so that an owner
-- who is bound by the policies can call it too.
grant select on gateway to parkline_gate;
create policy by_gate on gateway for select to parkline_gate using (true);
grant create on schema public to parkline_gate;
create function accounts_with_gateway(gateway_key text) returns table (id uuid, key text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$
    select a.id, a.key from public.account a join public.gateway g on g.account_id = a.id
    where g.key = gateway_key order by a.key
  $$;
alter function accounts_with_gateway(text) owner to parkline_gate;
revoke create on schema public from parkline_gate;
