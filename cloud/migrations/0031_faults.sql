-- One episode of a rule on a subject, from sure to over.
create table fault (
  id uuid primary key,
  account_id uuid not null,
  -- Key of the rule in cloud/src/faults/rules.
  rule text not null,
  severity text not null check (severity in ('critical', 'warning', 'notice')),
  -- The equipment or the gateway.
  subject_id uuid not null,
  equipment_id uuid,
  gateway_id uuid,
  building_id uuid not null,
  floor_id uuid,
  -- What proved it.
  point_ids uuid[] not null,
  -- The values behind it, as the sentence of the rule names them: {"values": {...}, "limit": 4, "forS": 600}.
  evidence jsonb not null,
  opened_at timestamptz not null,
  cleared_at timestamptz check (cleared_at >= opened_at),
  cleared_why text check (cleared_why in ('recovered', 'acknowledged', 'swapped', 'rule_off')),
  acknowledged_at timestamptz,
  acknowledged_by uuid,
  -- The fault that this one is a consequence of.
  cause_id uuid,
  -- Told by the work order's side; faults know nothing else of orders.
  order_id uuid,
  order_number text,
  order_state text,
  check (num_nonnulls(equipment_id, gateway_id) = 1 and subject_id = coalesce(equipment_id, gateway_id)),
  check ((cleared_at is null) = (cleared_why is null)),
  check ((acknowledged_at is null) = (acknowledged_by is null)),
  unique (account_id, id),
  foreign key (account_id, equipment_id) references equipment (account_id, id),
  foreign key (account_id, gateway_id) references gateway (account_id, id),
  foreign key (account_id, building_id) references building (account_id, id),
  foreign key (account_id, floor_id) references floor (account_id, id),
  foreign key (account_id, acknowledged_by) references person (account_id, id),
  foreign key (account_id, cause_id) references fault (account_id, id)
);
-- The law of faults: at most one open episode of a rule and a subject, whatever any process does.
create unique index fault_open on fault (account_id, rule, subject_id) where cleared_at is null;
create index fault_page on fault (account_id, id);
create index fault_equipment on fault (account_id, equipment_id, id);
create index fault_cause on fault (account_id, cause_id) where cause_id is not null;
create index fault_cleared on fault (account_id, cleared_at) where cleared_at is not null;

-- Where the evaluation of a rule on a subject stands, so that a restart forgets nothing. No row: nothing is going on.
create table fault_state (
  account_id uuid not null references account,
  rule text not null,
  subject_id uuid not null,
  -- Null: only `memory` is kept.
  phase text check (phase in ('pending', 'open')),
  -- pending: since when the condition holds; open: since when it does not, or null. Time without evidence is left out.
  since timestamptz,
  -- Since when there is no evidence at all.
  blind_since timestamptz,
  fault_id uuid,
  -- What a rule must remember of earlier values.
  memory jsonb,
  primary key (account_id, rule, subject_id),
  foreign key (account_id, fault_id) references fault (account_id, id),
  check ((phase is not distinct from 'open') = (fault_id is not null)),
  check (phase is distinct from 'pending' or since is not null)
) with (fillfactor = 50);

-- When the rules of an account were last looked at, to within seconds: longer silences of the worker are no evidence.
create table fault_beat (
  account_id uuid primary key references account,
  at timestamptz not null
) with (fillfactor = 50);

-- Where an account wants a rule otherwise than it comes.
create table fault_rule_setting (
  account_id uuid not null references account,
  rule text not null,
  enabled boolean not null,
  for_s integer not null check (for_s between 0 and 86400),
  limit_value double precision,
  updated_at timestamptz not null,
  updated_by uuid not null,
  primary key (account_id, rule),
  foreign key (account_id, updated_by) references person (account_id, id)
);

call protect_by_account('fault');
call protect_by_account('fault_state');
call protect_by_account('fault_beat');
call protect_by_account('fault_rule_setting');
call staff_only('fault');
call staff_only('fault_state');
call staff_only('fault_beat');
call staff_only('fault_rule_setting');

grant select, insert, update on fault to parkline_worker;
grant select, insert, update, delete on fault_state, fault_beat to parkline_worker;
grant select on fault_rule_setting to parkline_worker;
grant select on fault to parkline_app;
grant update (acknowledged_at, acknowledged_by, cleared_at, cleared_why, order_id, order_number, order_state)
  on fault to parkline_app;
grant select, insert, update on fault_rule_setting to parkline_app;
