-- The role of background work: it sees every account, and of each only what the jobs and rules need.
do $$
begin
  begin
    create role parkline_worker nologin nosuperuser nocreatedb nocreaterole nobypassrls noinherit;
  exception
    when duplicate_object or unique_violation then null;
  end;
  if not pg_has_role(current_user, 'parkline_worker', 'set') then
    grant parkline_worker to current_user;
  end if;
end
$$;
grant usage on schema public to parkline_worker;
grant execute on function current_account(), current_tenant() to parkline_worker;

grant select on account, site, building, floor, gateway, equipment, equipment_serves, point, gateway_status,
    device_status, point_latest
  to parkline_worker;
create policy by_worker on account for select to parkline_worker using (true);

-- Who can be sent, and where they work. Neither logins nor passwords.
grant select (id, account_id, tenant_id, name, roles, skills, disabled_at) on person to parkline_worker;
grant select on person_area to parkline_worker;

-- Work to be done: at once, or when a timer ends. A job is taken, carried out and removed in one transaction together
-- with its effect, so a process that dies in between leaves the job as it was and no trace of the effect.
create table job (
  id uuid primary key,
  account_id uuid not null references account,
  -- What is to be done: '<slice>.<verb>'.
  task text not null,
  -- About what: a task has at most one job for it. Enqueuing again moves the timer.
  key text not null,
  payload jsonb not null,
  due_at timestamptz not null,
  -- How often it failed, and with what.
  attempts integer not null default 0,
  last_error text,
  -- When it was given up. It stays for a person to look at.
  dead_at timestamptz,
  created_at timestamptz not null default now(),
  unique (account_id, task, key)
);
create index job_due on job (due_at, id) where dead_at is null;
call protect_by_account('job');
call staff_only('job');
create policy by_worker on job to parkline_worker using (true) with check (true);
grant select, insert, update, delete on job to parkline_worker, parkline_app, parkline_ingest;

-- Wakes the workers when the transaction commits; equal notices of one transaction are one.
create function job_notify() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('parkline_job', '');
  return null;
end
$$;
create trigger job_notify after insert or update of due_at on job for each statement execute function job_notify();

-- Pictures, as they were made anew from what came in: no metadata, bounded size. In the database, so that a row that names
-- a picture and the picture itself are committed, kept and deleted together.
create table file (
  id uuid primary key,
  account_id uuid not null references account,
  media_type text not null check (media_type = 'image/webp'),
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  sha256 bytea not null check (length(sha256) = 32),
  -- Of the bytes that came in: the same picture sent again is known by it.
  source_sha256 bytea not null check (length(source_sha256) = 32),
  bytes bytea not null,
  created_at timestamptz not null,
  -- Who sent it.
  person_id uuid not null,
  foreign key (account_id, person_id) references person (account_id, id),
  unique (account_id, id)
);
-- Pictures are compressed already.
alter table file alter column bytes set storage external;
call protect_by_account('file');
call staff_only('file');
grant select, insert on file to parkline_app;
