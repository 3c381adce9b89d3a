-- Names are {"en": ..., "zh": ...}. Foreign keys carry the account, so that no row can hang below another account's.
create table site (
  id uuid primary key,
  account_id uuid not null references account,
  key text not null,
  name jsonb not null,
  -- IANA zone; local days and months of everything on the site are cut by it.
  timezone text not null,
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  unique (account_id, key),
  unique (account_id, id)
);

create table building (
  id uuid primary key,
  account_id uuid not null,
  site_id uuid not null,
  key text not null,
  name jsonb not null,
  -- Place in lists.
  ord integer not null,
  foreign key (account_id, site_id) references site (account_id, id),
  unique (account_id, key),
  unique (account_id, id)
);
create index building_site on building (account_id, site_id);

create table floor (
  id uuid primary key,
  account_id uuid not null,
  building_id uuid not null,
  key text not null,
  name jsonb not null,
  -- 0 = ground floor.
  level integer not null,
  foreign key (account_id, building_id) references building (account_id, id),
  unique (account_id, key),
  unique (account_id, id)
);
create index floor_building on floor (account_id, building_id);

call protect_by_account('site');
call protect_by_account('building');
call protect_by_account('floor');
grant select on site, building, floor to parkline_app;
-- Ingest and the read-back of points need the site's zone.
grant select on site, building to parkline_ingest;
create policy by_ingest on site for select to parkline_ingest using (true);
create policy by_ingest on building for select to parkline_ingest using (true);
create policy by_ingest on account for select to parkline_ingest using (true);
