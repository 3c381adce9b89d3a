-- Who did what, when, to what, and how it was before and after: one chain for each account. Every entry carries the hash of
-- the one before it, so that none can be changed or left out unnoticed: `parkline audit verify`. What is personal in an
-- entry enters its hash as a salted hash of its own, so that it can be erased and the chain still holds.
alter table audit_event rename to audit_event_before;
alter index audit_event_at rename to audit_event_before_at;
alter index audit_event_pkey rename to audit_event_before_pkey;
alter sequence audit_event_id_seq rename to audit_event_before_id_seq;
alter table command_audit no force row level security;
alter table audit_event_before no force row level security;

create table audit_event (
  id bigint generated always as identity primary key,
  account_id uuid not null references account,
  -- 1, 2, 3, ... within the account, without a hole; given when the transaction commits.
  seq bigint,
  at timestamptz not null,
  -- Who did it; null for the system itself.
  person_id uuid,
  -- '<thing>.<what happened>'.
  action text not null,
  subject_id uuid,
  -- {"ip", "before", "after", "details"}; null once it was erased.
  content jsonb,
  content_salt bytea,
  content_hash bytea not null,
  prev_hash bytea,
  hash bytea,
  unique (account_id, seq),
  check ((content is null) = (content_salt is null))
);
create index audit_event_at on audit_event (account_id, at);
create index audit_event_subject on audit_event (account_id, subject_id, seq);
create index audit_event_person on audit_event (account_id, person_id, seq);

-- The ends of each account's chain. Locking the row puts entries in order.
create table audit_head (
  account_id uuid primary key references account,
  seq bigint not null,
  hash bytea not null,
  -- What was before the first entry that is kept.
  kept_after bigint not null default 0,
  kept_after_hash bytea not null default sha256(''::bytea)
) with (fillfactor = 50);

call protect_by_account('audit_event');
call protect_by_account('audit_head');
create policy by_tenant on audit_event as restrictive to parkline_app, parkline_usage using (
  current_tenant() is null
  or exists (select from person p where p.account_id = audit_event.account_id and p.id = audit_event.person_id)
);
call staff_only('audit_head');
-- The API adds to the one and has no right to the other.
call unbounded('audit_event');
call unbounded('audit_head');

-- Insert only: no service reads, changes or takes back through its own role what happened.
grant insert (account_id, at, person_id, action, subject_id, content) on audit_event
  to parkline_app, parkline_ingest, parkline_worker;
create policy by_ingest on audit_event for insert to parkline_ingest with check (true);

grant select, insert, update, delete on audit_event, audit_head to parkline_audit;
grant select on person to parkline_audit;
create policy by_audit on audit_event to parkline_audit using (true) with check (true);
create policy by_audit on audit_head to parkline_audit using (true) with check (true);
grant execute on function current_buildings() to parkline_audit;

grant create on schema public to parkline_audit;

create function audit_salt() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
  new.content_salt := uuid_send(gen_random_uuid());
  new.content_hash := sha256(new.content_salt || convert_to(new.content::text, 'UTF8'));
  return new;
end
$$;
alter function audit_salt() owner to parkline_audit;

-- When the transaction commits and not before: entries of one account wait for each other no longer than that, and nobody
-- who waits holds rows that the other wants.
create function audit_chain() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
  head public.audit_head;
  entry public.audit_event;
begin
  insert into public.audit_head (account_id, seq, hash) values (new.account_id, 0, sha256(''::bytea))
    on conflict do nothing;
  select * into head from public.audit_head h where h.account_id = new.account_id for update;
  select * into entry from public.audit_event e where e.id = new.id;
  entry.seq := head.seq + 1;
  entry.hash := public.audit_hash(head.hash, entry);
  update public.audit_event e set seq = entry.seq, prev_hash = head.hash, hash = entry.hash where e.id = new.id;
  update public.audit_head h set seq = entry.seq, hash = entry.hash where h.account_id = new.account_id;
  return null;
end
$$;
alter function audit_chain() owner to parkline_audit;

-- The hash of an entry after one with hash `prev`.
create function audit_hash(prev bytea, entry audit_event) returns bytea
  language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select sha256(prev || convert_to(jsonb_build_array(
    entry.account_id, entry.seq, (extract(epoch from entry.at) * 1000000)::bigint, entry.person_id, entry.action,
    entry.subject_id, encode(entry.content_hash, 'hex'))::text, 'UTF8'))
$$;
alter function audit_hash(bytea, audit_event) owner to parkline_audit;

-- The newest entries of the account before `p_before` (a seq; null: from the end), for staff that acts everywhere.
create function audit_page(p_before bigint, p_limit integer, p_person uuid, p_subject uuid, p_action text)
returns table (seq bigint, at timestamptz, person_id uuid, person_name text, action text, subject_id uuid, content jsonb)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select e.seq, e.at, e.person_id, p.name, e.action, e.subject_id, e.content
  from public.audit_event e left join public.person p on p.account_id = e.account_id and p.id = e.person_id
  where e.account_id = public.current_account() and public.current_tenant() is null
    and public.current_buildings() is null and e.seq < coalesce(p_before, 9223372036854775807)
    and (p_person is null or e.person_id = p_person) and (p_subject is null or e.subject_id = p_subject)
    and (p_action is null or e.action = p_action or starts_with(e.action, p_action || '.'))
  order by e.seq desc limit least(p_limit, 501)
$$;
alter function audit_page(bigint, integer, uuid, uuid, text) owner to parkline_audit;

-- What the account kept of a person: as who did it, and as whom it was done to.
create function audit_of_person(p_person uuid)
returns table (seq bigint, at timestamptz, person_id uuid, action text, subject_id uuid, content jsonb)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select e.seq, e.at, e.person_id, e.action, e.subject_id, e.content from public.audit_event e
  where e.account_id = public.current_account() and public.current_tenant() is null
    and (e.person_id = p_person or e.subject_id = p_person)
  order by e.seq
$$;
alter function audit_of_person(uuid) owner to parkline_audit;

-- Forgets what is personal in the entries by and about a person. Who did what and when stays, by a number without a name.
-- @returns how many entries.
create function audit_forget(p_person uuid) returns integer
  language sql volatile security definer set search_path = pg_catalog, pg_temp
as $$
  with gone as (
    update public.audit_event e set content = null, content_salt = null
    where e.account_id = public.current_account() and public.current_tenant() is null and e.content is not null
      and (e.subject_id = p_person or (e.person_id = p_person and e.content ? 'ip')) returning 1
  )
  select count(*)::integer from gone
$$;
alter function audit_forget(uuid) owner to parkline_audit;

-- Drops the oldest entries of every account, a bounded number at a time; the chain goes on from the last one dropped.
-- Younger ones than `keep_at_least` stay whatever is asked. @returns how many.
create function audit_cut(p_older_than timestamptz, p_now timestamptz) returns integer
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  keep_at_least constant interval := '6 months';
  head public.audit_head;
  last_gone public.audit_event;
  gone integer := 0;
  dropped integer;
begin
  for head in select * from public.audit_head order by account_id loop
    select * into last_gone from (
      select * from public.audit_event e where e.account_id = head.account_id and e.seq is not null
      order by e.seq limit 10000
    ) oldest
    where oldest.at < least(p_older_than, p_now - keep_at_least)
      and not exists (select from public.audit_event y where y.account_id = head.account_id and y.seq < oldest.seq
        and y.at >= least(p_older_than, p_now - keep_at_least))
    order by oldest.seq desc limit 1;
    continue when last_gone.id is null;
    update public.audit_head h set kept_after = last_gone.seq, kept_after_hash = last_gone.hash
      where h.account_id = head.account_id;
    delete from public.audit_event e where e.account_id = head.account_id and e.seq <= last_gone.seq;
    get diagnostics dropped = row_count;
    gone := gone + dropped;
  end loop;
  return gone;
end
$$;
alter function audit_cut(timestamptz, timestamptz) owner to parkline_audit;

revoke create on schema public from parkline_audit;

create trigger audit_salt before insert on audit_event for each row execute function audit_salt();
create constraint trigger audit_chain after insert on audit_event
  deferrable initially deferred for each row execute function audit_chain();

grant execute on function
  audit_page(bigint, integer, uuid, uuid, text), audit_of_person(uuid), audit_forget(uuid)
  to parkline_app;
grant execute on function audit_cut(timestamptz, timestamptz) to parkline_worker;
grant execute on function audit_hash(bytea, audit_event) to parkline_audit;

-- Both of the tables that this one stands for, in the order of their times.
alter table audit_event no force row level security;
insert into audit_event (account_id, at, person_id, action, subject_id, content)
  select account_id, at, person_id, action, subject_id, content from (
    select account_id, at, person_id, action, subject_id, id,
      jsonb_strip_nulls(jsonb_build_object('ip', host(ip), 'details', details)) as content
    from audit_event_before
    union all
    select account_id, at, person_id, 'command.' || action, command_id, seq,
      jsonb_strip_nulls(jsonb_build_object('ip', host(ip), 'details', details || jsonb_build_object('pointId', point_id)))
    from command_audit
  ) entries order by at, id;
set constraints audit_chain immediate;
alter table audit_event force row level security;

drop table audit_event_before;
drop table command_audit;
drop table command_audit_head;
drop function command_audit_chain();
