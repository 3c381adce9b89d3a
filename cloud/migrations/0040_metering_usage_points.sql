-- A usage point is the metered place, a meter the device that hangs there for a while: an exchange ends one installation
-- and begins the next, and the place keeps its history.
create table usage_point (
  id uuid primary key,
  account_id uuid not null,
  key text not null,
  name jsonb not null,
  commodity text not null check (commodity in ('electricity', 'water', 'heat')),
  -- Of its use: 'kWh', 'm³'.
  unit text not null,
  -- Whose use it is follows from the leases of this space.
  space_id uuid not null,
  -- The usage point that this one is measured behind.
  parent_id uuid,
  foreign key (account_id, space_id) references space (account_id, id),
  unique (account_id, key),
  unique (account_id, id),
  foreign key (account_id, parent_id) references usage_point (account_id, id),
  check (parent_id <> id)
);
create index usage_point_space on usage_point (account_id, space_id);

create table meter_installation (
  id uuid primary key,
  account_id uuid not null,
  usage_point_id uuid not null,
  -- The register that counts there.
  point_id uuid not null,
  -- Use of one unit of the register: transformer ratio, where the meter does not apply it itself.
  multiplier numeric(18, 6) not null default 1 check (multiplier > 0),
  -- Null: since the meter is known. to_at is exclusive, null while it hangs there.
  from_at timestamptz,
  to_at timestamptz,
  -- What the register showed when it came and went, in counts, where somebody wrote it down.
  start_counts double precision check (start_counts >= 0 and start_counts = trunc(start_counts)),
  final_counts double precision check (final_counts >= 0 and final_counts = trunc(final_counts)),
  foreign key (account_id, usage_point_id) references usage_point (account_id, id),
  foreign key (account_id, point_id) references point (account_id, id),
  check (to_at > from_at),
  check (start_counts is null or from_at is not null),
  check (final_counts is null or to_at is not null)
);
create index meter_installation_usage_point on meter_installation (account_id, usage_point_id, from_at);
create index meter_installation_point on meter_installation (account_id, point_id);

-- One meter at a time: two at once would count the same use twice. Whoever installs one locks the usage point first, so of
-- two at once the second sees the first.
create function meter_installation_once() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform from public.usage_point u
    where u.account_id = new.account_id and u.id = new.usage_point_id for no key update;
  if exists (
    select from public.meter_installation o
    where o.account_id = new.account_id and o.usage_point_id = new.usage_point_id and o.id <> new.id
      and tstzrange(o.from_at, o.to_at) && tstzrange(new.from_at, new.to_at)
  ) then
    raise exception 'usage point % has a meter at that time', new.usage_point_id
      using errcode = 'exclusion_violation', constraint = 'meter_installation_once', table = 'meter_installation';
  end if;
  return null;
end
$$;
create trigger meter_installation_once after insert or update on meter_installation
  for each row execute function meter_installation_once();

call protect_by_account('usage_point');
call protect_by_account('meter_installation');
-- A tenant sees the usage points of spaces that it leases, did or will; lease_space answers by its own policy.
create policy by_tenant on usage_point as restrictive using (
  current_tenant() is null
  or exists (select from lease_space l where l.account_id = usage_point.account_id and l.space_id = usage_point.space_id)
) with check (current_tenant() is null);
call staff_only('meter_installation');
grant select on usage_point to parkline_app;
