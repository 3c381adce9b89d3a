-- What the whole numbers of a state mean: {"0": {"en": "closed", "zh": "关"}}; null: nothing is said.
alter table point add column states jsonb check (jsonb_typeof(states) = 'object');

-- What a unit works for: the floors and spaces that an air handler feeds, the floors that an elevator serves.
create table equipment_serves (
  account_id uuid not null,
  equipment_id uuid not null,
  floor_id uuid,
  space_id uuid,
  foreign key (account_id, equipment_id) references equipment (account_id, id) on delete cascade,
  foreign key (account_id, floor_id) references floor (account_id, id),
  foreign key (account_id, space_id) references space (account_id, id),
  check (num_nonnulls(floor_id, space_id) = 1),
  unique nulls not distinct (account_id, equipment_id, floor_id, space_id)
);
call protect_by_account('equipment_serves');
call staff_only('equipment_serves');
grant select on equipment_serves to parkline_app;
