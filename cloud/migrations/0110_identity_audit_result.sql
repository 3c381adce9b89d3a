-- Whether a deed was done, or refused and why. An entry that was done is hashed as before, so that those that are there keep
-- their hashes; one that was refused enters the chain with that and the reason.
alter table audit_event
  add column result text not null default 'done' check (result in ('done', 'refused')),
  -- A code of the API ('forbidden'), or a word of the thing itself; nothing personal: it stays when a person is forgotten.
  add column reason text check (length(reason) between 1 and 80),
  add check (result = 'refused' or reason is null);
grant insert (result, reason) on audit_event to parkline_app, parkline_ingest, parkline_worker;
-- Refused claims of before say it by their name only.
create index audit_event_refused on audit_event (account_id, seq)
  where result = 'refused' or action in ('gateway.claim_refused', 'gateway.claim_reused');

grant create on schema public to parkline_audit;

create or replace function audit_hash(prev bytea, entry audit_event) returns bytea
  language sql immutable set search_path = pg_catalog, pg_temp
as $$
  select sha256(prev || convert_to((jsonb_build_array(
    entry.account_id, entry.seq, (extract(epoch from entry.at) * 1000000)::bigint, entry.person_id, entry.action,
    entry.subject_id, encode(entry.content_hash, 'hex')) ||
    case entry.result when 'done' then '[]' else jsonb_build_array(entry.result, entry.reason) end)::text, 'UTF8'))
$$;
alter function audit_hash(bytea, audit_event) owner to parkline_audit;

-- The newest entries of the account before `p_before` (a seq; null: from the end), for staff that acts everywhere; with the
-- name of whoever it was done to.
drop function audit_page(bigint, integer, uuid, uuid, text);
create function audit_page(
  p_before bigint, p_limit integer, p_person uuid, p_subject uuid, p_action text, p_result text
) returns table (
  seq bigint, at timestamptz, person_id uuid, person_name text, action text, subject_id uuid, subject_name text,
  result text, reason text, content jsonb
)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select e.seq, e.at, e.person_id, p.name, e.action, e.subject_id, s.name,
    case when e.action in ('gateway.claim_refused', 'gateway.claim_reused') then 'refused' else e.result end,
    e.reason, e.content
  from public.audit_event e
  left join public.person p on p.account_id = e.account_id and p.id = e.person_id
  left join public.person s on s.account_id = e.account_id and s.id = e.subject_id
  where e.account_id = public.current_account() and public.current_tenant() is null
    and public.current_buildings() is null and e.seq < coalesce(p_before, 9223372036854775807)
    and (p_person is null or e.person_id = p_person) and (p_subject is null or e.subject_id = p_subject)
    and (p_action is null or e.action = p_action or starts_with(e.action, p_action || '.'))
    and (p_result is null or (p_result = 'refused')
      = (e.result = 'refused' or e.action in ('gateway.claim_refused', 'gateway.claim_reused')))
  order by e.seq desc limit least(p_limit, 501)
$$;
alter function audit_page(bigint, integer, uuid, uuid, text, text) owner to parkline_audit;

drop function audit_of_person(uuid);
create function audit_of_person(p_person uuid)
returns table (
  seq bigint, at timestamptz, person_id uuid, action text, subject_id uuid, result text, reason text, content jsonb
)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select e.seq, e.at, e.person_id, e.action, e.subject_id, e.result, e.reason, e.content from public.audit_event e
  where e.account_id = public.current_account() and public.audit_reaches(p_person)
    and (e.person_id = p_person or e.subject_id = p_person)
  order by e.seq
$$;
alter function audit_of_person(uuid) owner to parkline_audit;

revoke create on schema public from parkline_audit;
grant execute on function
  audit_page(bigint, integer, uuid, uuid, text, text), audit_of_person(uuid) to parkline_app;
