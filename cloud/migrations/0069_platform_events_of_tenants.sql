-- What people of a tenant do happens for other systems, too; the queue itself stays the staff's own.
drop policy by_gate on job;
create policy by_gate on job to parkline_gate
  using (task in ('invitation.send', 'event.happened')) with check (task in ('invitation.send', 'event.happened'));

grant create on schema public to parkline_gate;
create function event_post(job_id uuid, event_id uuid, event jsonb, at timestamptz) returns void
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  tenant text := current_setting('app.tenant_id', true);
begin
  perform set_config('app.tenant_id', '', true);
  insert into public.job (id, account_id, task, key, payload, due_at)
    values (job_id, public.current_account(), 'event.happened', event_id::text, event, at);
  perform set_config('app.tenant_id', coalesce(tenant, ''), true);
end
$$;
alter function event_post(uuid, uuid, jsonb, timestamptz) owner to parkline_gate;
revoke create on schema public from parkline_gate;
grant execute on function event_post(uuid, uuid, jsonb, timestamptz) to parkline_app, parkline_ingest, parkline_worker;
