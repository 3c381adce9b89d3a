-- How far a point may be written (WriteLimits); null: not at all.
alter table point add column write jsonb check (jsonb_typeof(write) = 'object');

-- off: somebody on site has switched remote writing off. Null: an older gateway does not say.
alter table gateway_status add column writing text check (writing in ('on', 'off'));

-- Orders to write one point, from the wish to what became of it.
create table command (
  id uuid primary key,
  account_id uuid not null,
  gateway_id uuid not null,
  equipment_id uuid not null,
  point_id uuid not null,
  -- Engineering value; null gives the point back.
  value double precision,
  -- After this time the gateway gives the point back; null: it stays.
  hold_s integer check (hold_s between 1 and 86400),
  reason text not null check (length(reason) between 3 and 500),
  -- People may be hurt: a second person must approve.
  safety boolean not null,
  state text not null check (state in ('awaiting_approval', 'queued', 'sent', 'done', 'overridden', 'differs', 'refused',
    'failed', 'expired', 'rejected', 'cancelled', 'released')),
  -- Names as they were then: the signed command carries them.
  actor_id uuid not null,
  actor_name text not null,
  approver_id uuid check (approver_id <> actor_id),
  approver_name text,
  requested_at timestamptz not null,
  -- When it was approved, rejected or cancelled.
  decided_at timestamptz,
  -- When its state ends by itself: nobody approved, it was never sent, no answer came. Null: it does not.
  due_at timestamptz,
  sent_at timestamptz,
  expires_at timestamptz,
  -- What the gateway said of the write; null: nothing yet.
  outcome text check (outcome in ('done', 'overridden', 'differs', 'refused', 'failed')),
  before_value double precision,
  after_value double precision,
  why text,
  ended_at timestamptz,
  -- Until when the point is held; null: it is not.
  held_until timestamptz,
  released_at timestamptz,
  unique (account_id, id),
  foreign key (account_id, gateway_id) references gateway (account_id, id),
  foreign key (account_id, equipment_id) references equipment (account_id, id),
  foreign key (account_id, point_id) references point (account_id, id),
  foreign key (account_id, actor_id) references person (account_id, id),
  foreign key (account_id, approver_id) references person (account_id, id),
  check ((approver_id is null) = (approver_name is null)),
  -- The law of two people, whatever any process does.
  check (not safety or approver_id is not null or state in ('awaiting_approval', 'rejected', 'cancelled', 'expired'))
);
create index command_page on command (account_id, id desc);
create index command_point on command (account_id, point_id, id desc);
create index command_queued on command (id) where state = 'queued';
create index command_due on command (due_at) where due_at is not null;
call protect_by_account('command');
call staff_only('command');
grant select, insert on command to parkline_app;
grant update (state, approver_id, approver_name, decided_at, due_at, ended_at, why) on command to parkline_app;
-- The signer sends what is queued and hears the results, over all accounts.
grant select on command to parkline_ingest;
grant update (state, due_at, sent_at, expires_at, outcome, before_value, after_value, why, ended_at, held_until, released_at)
  on command to parkline_ingest;
create policy by_ingest on command to parkline_ingest using (true) with check (true);

-- Wakes the signer when the transaction commits.
create function command_notify() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  perform pg_notify('parkline_command', '');
  return null;
end
$$;
create trigger command_notify after insert or update of state on command
  for each row when (new.state = 'queued') execute function command_notify();

-- Who asked, approved, refused and sent what, and what became of it. Each entry carries the hash of the one before it, so
-- that none can be changed or left out unnoticed: `parkline audit verify`.
create table command_audit (
  account_id uuid not null references account,
  -- 1, 2, 3, ... within the account, without a hole.
  seq bigint not null,
  at timestamptz not null,
  command_id uuid not null,
  point_id uuid not null,
  action text not null,
  -- Null: the system itself.
  person_id uuid,
  person_name text,
  ip inet,
  details jsonb not null,
  prev_hash bytea not null,
  hash bytea not null,
  primary key (account_id, seq)
);
create index command_audit_command on command_audit (account_id, command_id, seq);
call protect_by_account('command_audit');
call staff_only('command_audit');
-- Insert only: what happened is not read, changed or taken back through these roles.
grant insert (account_id, at, command_id, point_id, action, person_id, person_name, ip, details) on command_audit
  to parkline_app, parkline_ingest;
create policy by_ingest on command_audit for insert to parkline_ingest with check (true);

-- The end of each account's chain; locking it puts entries in order.
create table command_audit_head (
  account_id uuid primary key references account,
  seq bigint not null,
  hash bytea not null
) with (fillfactor = 50);
call protect_by_account('command_audit_head');
call staff_only('command_audit_head');

-- Owns the function that adds to the chain. No login has this role.
do $$
begin
  begin
    create role parkline_audit nologin nosuperuser nocreatedb nocreaterole nobypassrls noinherit;
  exception
    when duplicate_object or unique_violation then null;
  end;
  if not pg_has_role(current_user, 'parkline_audit', 'set') then
    grant parkline_audit to current_user;
  end if;
end
$$;
grant usage on schema public to parkline_audit;
grant execute on function current_account(), current_tenant() to parkline_audit;
grant select, insert, update on command_audit_head to parkline_audit;
create policy by_audit on command_audit_head to parkline_audit using (true) with check (true);

grant create on schema public to parkline_audit;
create function command_audit_chain() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  head public.command_audit_head;
begin
  insert into public.command_audit_head values (new.account_id, 0, sha256(''::bytea)) on conflict do nothing;
  select * into head from public.command_audit_head h where h.account_id = new.account_id for update;
  new.seq := head.seq + 1;
  new.prev_hash := head.hash;
  -- The same words as in cloud/src/fleet/audit-chain.ts, which verifies them.
  new.hash := sha256(head.hash || convert_to(jsonb_build_array(
    new.account_id, new.seq, (extract(epoch from new.at) * 1000000)::bigint, new.command_id, new.point_id, new.action,
    new.person_id, new.person_name, host(new.ip), new.details)::text, 'UTF8'));
  update public.command_audit_head h set seq = new.seq, hash = new.hash where h.account_id = new.account_id;
  return new;
end
$$;
alter function command_audit_chain() owner to parkline_audit;
revoke create on schema public from parkline_audit;
create trigger command_audit_chain before insert on command_audit
  for each row execute function command_audit_chain();

-- For the command line, which verifies every chain, and whose owner may be bound by the policies too.
grant create on schema public to parkline_gate;
create function all_accounts() returns table (id uuid, key text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
  as $$ select id, key from public.account order by key $$;
alter function all_accounts() owner to parkline_gate;
revoke create on schema public from parkline_gate;
