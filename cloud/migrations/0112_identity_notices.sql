-- Mails that tell a person of a change to the account that the person has. People of a tenant reach no row of the queue: they
-- post through a function, of people in their own sight only, and nothing but who, what and where to.
drop policy by_gate on job;
create policy by_gate on job to parkline_gate
  using (task in ('invitation.send', 'event.happened', 'person.notice'))
  with check (task in ('invitation.send', 'event.happened', 'person.notice'));

grant create on schema public to parkline_gate;
create function notice_post(job_id uuid, p_person uuid, what text, mail_to text, done_by uuid, at timestamptz) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  tenant text := current_setting('app.tenant_id', true);
begin
  if not exists (
    select from public.person p where p.account_id = public.current_account() and p.id = p_person
      and (public.current_tenant() is null or p.tenant_id = public.current_tenant())
  ) then
    raise insufficient_privilege using message = 'notices are for people in sight only';
  end if;
  perform set_config('app.tenant_id', '', true);
  insert into public.job (id, account_id, task, key, payload, due_at)
    values (job_id, public.current_account(), 'person.notice', job_id::text,
      jsonb_build_object('personId', p_person, 'what', what, 'to', mail_to, 'by', done_by), at);
  perform set_config('app.tenant_id', coalesce(tenant, ''), true);
end
$$;
alter function notice_post(uuid, uuid, text, text, uuid, timestamptz) owner to parkline_gate;
revoke create on schema public from parkline_gate;
grant execute on function notice_post(uuid, uuid, text, text, uuid, timestamptz) to parkline_app;
-- Nobody is written to who was erased meanwhile.
grant select (erased_at) on person to parkline_worker;
