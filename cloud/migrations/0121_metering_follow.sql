-- A meter that is bound to a space measures the use of it: its usage point follows the device.
alter table usage_point
  -- The device whose space made it; null where a plan did.
  add column equipment_id uuid,
  add foreign key (account_id, equipment_id) references equipment (account_id, id) on delete cascade;
create index usage_point_equipment on usage_point (account_id, equipment_id) where equipment_id is not null;

-- A device that was never heard is taken back whole, and its installation with its points. What a plan wrote keeps its register.
create function point_let_go() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  delete from public.meter_installation i using public.usage_point u
    where i.account_id = old.account_id and i.point_id = old.id
      and u.account_id = i.account_id and u.id = i.usage_point_id and u.equipment_id is not null;
  return old;
end
$$;
create trigger point_let_go before delete on point for each row execute function point_let_go();

-- Use of one unit of a register, as proven at the meter: the ratio of its transformers, where nothing before applies it.
create table register_multiplier (
  account_id uuid not null,
  point_id uuid not null,
  multiplier numeric(18, 6) not null check (multiplier > 0),
  primary key (account_id, point_id),
  foreign key (account_id, point_id) references point (account_id, id) on delete cascade
);
call protect_by_account('register_multiplier');
call staff_only('register_multiplier');
call bounded_by('register_multiplier', 'point', 'point_id');
grant select, insert, update on register_multiplier to parkline_app, parkline_worker;

grant select on meter_installation to parkline_worker;
grant insert (id, account_id, key, name, commodity, unit, space_id, equipment_id), update (name, space_id, parent_id)
  on usage_point to parkline_worker;
grant insert (id, account_id, usage_point_id, point_id, from_at), update (to_at, multiplier) on meter_installation to parkline_worker;

alter table account no force row level security;
alter table job no force row level security;
insert into job (id, account_id, task, key, payload, due_at)
  select gen_random_uuid(), id, 'fleet.equipment_changed', 'migration 0121', '{}', now() from account;
alter table job force row level security;
alter table account force row level security;
