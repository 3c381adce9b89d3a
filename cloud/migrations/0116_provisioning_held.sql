-- After a restore from a backup the message server may hold keys as thrown out that this database believes again. They are
-- thrown out again, by the instant of the server's list, and what they sign is not believed; a gateway that is left with no key is
-- revoked. Safe to repeat.
grant select on gateway_credential to parkline_gate;
grant update (issue_due, revoked_at) on gateway_credential to parkline_gate;
grant update (version, public_key, next_public_key, revoked_at) on gateway to parkline_gate;
grant insert (account_id, at, person_id, action, subject_id, content) on audit_event to parkline_gate;
create policy by_gate on gateway_credential to parkline_gate using (true) with check (true);
create policy by_gate_update on gateway for update to parkline_gate using (true) with check (true);
create policy by_gate on audit_event for insert to parkline_gate with check (true);

grant create on schema public to parkline_gate;
create function gateway_revoke_held(nkeys text[], instants timestamptz[])
  returns table (gateway_id uuid, nkey text)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
declare
  void record;
begin
  for void in
    update public.gateway_credential c set revoked_at = held.at, issue_due = false
    from unnest(nkeys, instants) held (key, at)
    where c.nkey = held.key and c.revoked_at is null
    returning c.account_id, c.gateway_id as gateway, c.nkey as key, c.signing_key, held.at
  loop
    update public.gateway g set
      public_key = nullif(g.public_key, void.signing_key), next_public_key = nullif(g.next_public_key, void.signing_key)
    where g.account_id = void.account_id and g.id = void.gateway;
    update public.gateway g set revoked_at = void.at, public_key = null, next_public_key = null, version = g.version + 1
    where g.account_id = void.account_id and g.id = void.gateway and g.revoked_at is null and not exists (
      select from public.gateway_credential c
      where c.account_id = g.account_id and c.gateway_id = g.id and c.revoked_at is null);
    insert into public.audit_event (account_id, at, person_id, action, subject_id, content)
    values (void.account_id, now(), null, 'gateway.revoked', void.gateway,
      jsonb_build_object('details', jsonb_build_object('why', 'held_by_message_server', 'revokedAt', void.at)));
    gateway_id := void.gateway;
    nkey := void.key;
    return next;
  end loop;
end
$$;
alter function gateway_revoke_held(text[], timestamptz[]) owner to parkline_gate;
revoke create on schema public from parkline_gate;
revoke execute on function gateway_revoke_held(text[], timestamptz[]) from public;
grant execute on function gateway_revoke_held(text[], timestamptz[]) to parkline_provisioner;
