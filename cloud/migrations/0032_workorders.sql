create table work_order (
  id uuid primary key,
  account_id uuid not null,
  -- Counted by account and year of the site's calendar; shown as '2026-00017'.
  year integer not null,
  seq integer not null check (seq > 0),
  title jsonb not null,
  state text not null check (state in ('waiting', 'dispatched', 'accepted', 'in_progress', 'done', 'cancelled')),
  severity text not null check (severity in ('critical', 'warning', 'notice')),
  skill text not null,
  fault_id uuid,
  equipment_id uuid,
  building_id uuid,
  floor_id uuid,
  technician_id uuid,
  -- Why this technician, or nobody: what the choice was made of, in words only when somebody reads it.
  dispatch_reason jsonb,
  accept_by timestamptz,
  escalated_at timestamptz,
  created_at timestamptz not null,
  dispatched_at timestamptz,
  accepted_at timestamptz,
  started_at timestamptz,
  -- When it was done or cancelled.
  done_at timestamptz,
  note text check (length(note) <= 2000),
  version integer not null default 1,
  unique (account_id, id),
  unique (account_id, year, seq),
  -- The law of orders: a fault makes one, however often it is told.
  unique (account_id, fault_id),
  check ((technician_id is null) = (state = 'waiting') or state = 'cancelled'),
  check ((accept_by is not null) = (state = 'dispatched')),
  check ((done_at is not null) = (state in ('done', 'cancelled'))),
  foreign key (account_id, fault_id) references fault (account_id, id),
  foreign key (account_id, equipment_id) references equipment (account_id, id),
  foreign key (account_id, building_id) references building (account_id, id),
  foreign key (account_id, floor_id) references floor (account_id, id),
  foreign key (account_id, technician_id) references person (account_id, id)
);
create index work_order_page on work_order (account_id, id);
create index work_order_technician on work_order (account_id, technician_id, id);
create index work_order_equipment on work_order (account_id, equipment_id, id);

-- The last number given in a year. Raised in the transaction that makes the order: taken back with it, so without gaps.
create table work_order_count (
  account_id uuid not null references account,
  year integer not null,
  last integer not null,
  primary key (account_id, year)
);

-- What happened to an order, in order. Only ever added to.
create table work_order_event (
  id bigint generated always as identity primary key,
  account_id uuid not null,
  order_id uuid not null,
  at timestamptz not null,
  -- Who did it; null for the system itself.
  person_id uuid,
  what text not null,
  -- What the sentence is made of.
  facts jsonb not null,
  foreign key (account_id, order_id) references work_order (account_id, id),
  foreign key (account_id, person_id) references person (account_id, id)
);
create index work_order_event_order on work_order_event (account_id, order_id, id);

create table work_order_photo (
  account_id uuid not null,
  order_id uuid not null,
  file_id uuid not null,
  kind text not null check (kind in ('before', 'after')),
  source_sha256 bytea not null,
  at timestamptz not null,
  primary key (account_id, file_id),
  -- The same picture sent again, because the answer was lost, is the same photo.
  unique (account_id, order_id, kind, source_sha256),
  foreign key (account_id, order_id) references work_order (account_id, id),
  foreign key (account_id, file_id) references file (account_id, id)
);

create table work_order_setting (
  account_id uuid primary key references account,
  accept_within_min integer not null check (accept_within_min between 1 and 1440)
);

call protect_by_account('work_order');
call protect_by_account('work_order_count');
call protect_by_account('work_order_event');
call protect_by_account('work_order_photo');
call protect_by_account('work_order_setting');
call staff_only('work_order');
call staff_only('work_order_count');
call staff_only('work_order_event');
call staff_only('work_order_photo');
call staff_only('work_order_setting');

grant select, update on work_order to parkline_app;
grant select, insert on work_order_event, work_order_photo to parkline_app;
grant select, insert, update on work_order_setting to parkline_app;
grant select, insert, update on work_order, work_order_count to parkline_worker;
grant select, insert on work_order_event to parkline_worker;
grant select on work_order_photo, work_order_setting to parkline_worker;
