-- Equipment, points and buses that people edit. Who changes a row, by whatever way, makes a new version of it: an edit that
-- was made on an older one is refused.
create function version_bump() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  new.version := old.version + 1;
  return new;
end
$$;

alter table equipment
  add column version integer not null default 1,
  -- The room it stands in; null: nothing is said beyond the floor.
  add column space_id uuid,
  -- Tags of its own beside those of its template and its place: {"ahu": true, "stage": 2, "note": "roof"}; true is a marker.
  add column tags jsonb not null default '{}' check (jsonb_typeof(tags) = 'object'),
  -- Brick class in place of its kind's.
  add column brick text check (brick ~ '^[A-Za-z][A-Za-z0-9_-]{0,99}$'),
  -- No longer there: its readings are kept, it is neither polled nor watched.
  add column retired_at timestamptz,
  add foreign key (account_id, space_id) references space (account_id, id);
create trigger version_bump before update on equipment for each row
  when (old.* is distinct from new.*) execute function version_bump();

alter table point
  add column version integer not null default 1,
  -- The room it measures; null: that of its equipment.
  add column space_id uuid,
  add column tags jsonb not null default '{}' check (jsonb_typeof(tags) = 'object'),
  add column brick text check (brick ~ '^[A-Za-z][A-Za-z0-9_-]{0,99}$'),
  -- How it is read, for a point that its template does not have: {"address", "scale", "offset", "deadband"}.
  add column source jsonb check (jsonb_typeof(source) = 'object'),
  add column retired_at timestamptz,
  add foreign key (account_id, space_id) references space (account_id, id);
-- The generated column is not known before the row is written and must not count as a change.
create trigger version_bump before update on point for each row
  when ((old.key, old.name, old.unit, old.kind, old.resolution, old.decimals, old.protocol, old.poll_ms, old.heartbeat_ms,
         old.states, old.write, old.space_id, old.tags, old.brick, old.source, old.retired_at)
    is distinct from
        (new.key, new.name, new.unit, new.kind, new.resolution, new.decimals, new.protocol, new.poll_ms, new.heartbeat_ms,
         new.states, new.write, new.space_id, new.tags, new.brick, new.source, new.retired_at))
  execute function version_bump();
create index point_equipment on point (account_id, equipment_id);

-- A line, a network or a broker of a gateway: where its devices hang.
create table bus (
  id uuid primary key,
  account_id uuid not null,
  gateway_id uuid not null,
  -- Key of the gateway's connection, as equipment.bus names it.
  key text not null check (key ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  protocol text not null,
  -- Parameters of the driver's connection without its secrets.
  params jsonb not null check (jsonb_typeof(params) = 'object'),
  version integer not null default 1,
  foreign key (account_id, gateway_id) references gateway (account_id, id) on delete cascade,
  unique (account_id, gateway_id, key),
  unique (account_id, id)
);
create trigger version_bump before update on bus for each row
  when (old.* is distinct from new.*) execute function version_bump();
call protect_by_account('bus');
call staff_only('bus');
call bounded_by('bus', 'gateway', 'gateway_id');

-- What devices log in with, or are logged in to with. Sealed: nobody reads them, a gateway's configuration apart.
create table equipment_secret (
  account_id uuid not null,
  equipment_id uuid not null,
  -- 'token'.
  name text not null,
  sealed_value text not null check (sealed_value ^@ 'sealed:'),
  set_at timestamptz not null,
  primary key (account_id, equipment_id, name),
  foreign key (account_id, equipment_id) references equipment (account_id, id) on delete cascade
);
call protect_by_account('equipment_secret');
call staff_only('equipment_secret');
call bounded_by('equipment_secret', 'equipment', 'equipment_id');

create table bus_secret (
  account_id uuid not null,
  bus_id uuid not null,
  -- 'password'.
  name text not null,
  sealed_value text not null check (sealed_value ^@ 'sealed:'),
  set_at timestamptz not null,
  primary key (account_id, bus_id, name),
  foreign key (account_id, bus_id) references bus (account_id, id) on delete cascade
);
call protect_by_account('bus_secret');
call staff_only('bus_secret');
call bounded_by('bus_secret', 'bus', 'bus_id');

grant insert, update, delete on equipment, point to parkline_app;
grant insert, delete on equipment_serves to parkline_app;
grant select, insert, update, delete on bus, equipment_secret, bus_secret to parkline_app;
-- The signer writes the configurations of gateways of every account.
grant select on bus, equipment_secret, bus_secret, equipment_serves to parkline_ingest;
create policy by_ingest on bus for select to parkline_ingest using (true);
create policy by_ingest on equipment_secret for select to parkline_ingest using (true);
create policy by_ingest on bus_secret for select to parkline_ingest using (true);
