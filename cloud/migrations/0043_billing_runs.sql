-- A billing run as it was computed: statements, their lines, and every interval behind them. Names of parties, usage
-- points and meters are those of the run's inputs, so that a bill reads the same whatever is renamed later.
-- Amounts keep the digits that they were printed with.
create table billing_run (
  id uuid primary key,
  account_id uuid not null references account,
  site_name text not null,
  timezone text not null,
  currency char(3) not null,
  -- Local days; to_date is exclusive.
  from_date date not null,
  to_date date not null check (to_date > from_date),
  interval_ms integer not null check (interval_ms > 0),
  state text not null default 'draft' check (state in ('draft', 'locked')),
  created_at timestamptz not null,
  locked_at timestamptz check ((locked_at is null) = (state = 'draft')),
  -- SHA-256 of everything that it was computed from: the same inputs are one run.
  inputs_hash text not null check (inputs_hash ~ '^[0-9a-f]{64}$'),
  supply_kwh numeric not null,
  supply_energy numeric(16, 2) not null,
  supply_demand numeric(16, 2) not null,
  supply_power_factor numeric(16, 2) not null,
  supply_total numeric(16, 2) not null,
  -- [{key, ok, facts}]
  checks jsonb not null,
  unique (account_id, inputs_hash),
  unique (account_id, id)
);
create index billing_run_period on billing_run (account_id, from_date desc, id);

create table statement (
  id uuid primary key,
  account_id uuid not null,
  run_id uuid not null,
  -- The run's fixed order of parties.
  ord integer not null,
  party text not null,
  kind text not null check (kind in ('tenant', 'landlord')),
  kwh numeric not null,
  estimated_kwh numeric not null,
  net numeric(16, 2) not null,
  tax numeric(16, 2) not null,
  total numeric(16, 2) not null,
  foreign key (account_id, run_id) references billing_run (account_id, id) on delete cascade,
  unique (run_id, ord),
  unique (run_id, party),
  unique (account_id, id),
  check (net + tax = total)
);

create table statement_line (
  id uuid primary key,
  account_id uuid not null,
  run_id uuid not null,
  statement_id uuid not null,
  ord integer not null,
  kind text not null check (kind in ('energy', 'share', 'rounding')),
  quantity numeric,
  unit text,
  price numeric,
  amount numeric(16, 2) not null,
  formula text not null,
  pool text,
  pool_total numeric(16, 2),
  pool_lines jsonb not null,
  usage_points text[] not null,
  meters text[] not null,
  -- These pick the intervals behind the line, together with usage_points; null is any.
  band text,
  tariff_version text,
  interval_party text,
  interval_at timestamptz,
  intervals integer not null,
  -- Own weight in the pool and the sum of all.
  weight numeric,
  weight_sum numeric,
  foreign key (account_id, run_id) references billing_run (account_id, id) on delete cascade,
  foreign key (account_id, statement_id) references statement (account_id, id) on delete cascade,
  unique (statement_id, ord)
);

-- Once a run and usage point, however many lines rest on it.
create table billing_interval (
  account_id uuid not null,
  run_id uuid not null,
  usage_point text not null,
  at timestamptz not null,
  -- Who held the space as it began; null where nobody is billed for it directly.
  party text,
  energy numeric not null,
  through numeric not null,
  quality text not null check (quality in ('M', 'V', 'E')),
  rule text,
  band text not null,
  tariff_version text not null,
  -- [{meter, multiplier, from, to}]
  registers jsonb not null,
  primary key (run_id, usage_point, at),
  foreign key (account_id, run_id) references billing_run (account_id, id) on delete cascade
);

-- What is locked stays as it is, whoever asks; a correction is a run of its own.
create function billing_run_stays() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  wrong text;
begin
  if old.state = 'locked' then
    raise exception 'billing run % is locked: correct it by another run', old.id using errcode = 'restrict_violation';
  end if;
  if tg_op = 'UPDATE' and new.state = 'locked' then
    select s.party into wrong from public.statement s
      where s.run_id = new.id
        and s.total is distinct from (select sum(l.amount) from public.statement_line l where l.statement_id = s.id) limit 1;
    if wrong is not null then
      raise exception 'billing run %: the lines of % are not its total', new.id, wrong using errcode = 'check_violation';
    end if;
    if new.supply_total is distinct from (select sum(s.total) from public.statement s where s.run_id = new.id) then
      raise exception 'billing run %: the statements are not the supply bill', new.id using errcode = 'check_violation';
    end if;
  end if;
  return case tg_op when 'DELETE' then old else new end;
end
$$;
create trigger billing_run_stays before update or delete on billing_run
  for each row execute function billing_run_stays();

create function billing_part_stays() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  part constant record := case tg_op when 'DELETE' then old else new end;
begin
  if exists (select from public.billing_run r where r.id = part.run_id and r.state = 'locked')
    or (tg_op = 'UPDATE' and exists (select from public.billing_run r where r.id = old.run_id and r.state = 'locked'))
  then
    raise exception 'billing run % is locked: correct it by another run', part.run_id using errcode = 'restrict_violation';
  end if;
  return part;
end
$$;
create trigger statement_stays before insert or update or delete on statement
  for each row execute function billing_part_stays();
create trigger statement_line_stays before insert or update or delete on statement_line
  for each row execute function billing_part_stays();
create trigger billing_interval_stays before update or delete on billing_interval
  for each row execute function billing_part_stays();

-- Intervals come by the thousand: one look for all of them.
create function billing_intervals_come() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  locked uuid;
begin
  select r.id into locked from public.billing_run r
    where r.state = 'locked' and r.id in (select i.run_id from coming i) limit 1;
  if locked is not null then
    raise exception 'billing run % is locked: correct it by another run', locked using errcode = 'restrict_violation';
  end if;
  return null;
end
$$;
create trigger billing_intervals_come after insert on billing_interval
  referencing new table as coming for each statement execute function billing_intervals_come();

call protect_by_account('billing_run');
call protect_by_account('statement');
call protect_by_account('statement_line');
call protect_by_account('billing_interval');
call staff_only('billing_run');
call staff_only('statement');
call staff_only('statement_line');
call staff_only('billing_interval');
grant select on billing_run, statement, statement_line, billing_interval to parkline_app;
