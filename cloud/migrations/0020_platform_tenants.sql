-- People of a tenant ask through the same API as the operator's staff. What they may see is decided here, below every
-- query: by current_tenant(), which is set beside current_account().

-- The tenant of whoever asks; null for the operator's staff, for background work and for the command line.
create function current_tenant() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('app.tenant_id', true), '')::uuid;
grant execute on function current_tenant() to parkline_app, parkline_ingest, parkline_gate;

-- Owns the few functions that tell a tenant what its own spaces used: they check the leases, then read tables that are
-- closed to tenants. No login has this role.
do $$
begin
  begin
    create role parkline_usage nologin nosuperuser nocreatedb nocreaterole nobypassrls noinherit;
  exception
    when duplicate_object or unique_violation then null;
  end;
  if not pg_has_role(current_user, 'parkline_usage', 'set') then
    grant parkline_usage to current_user;
  end if;
end
$$;
grant usage on schema public to parkline_usage;
grant execute on function current_account(), current_tenant() to parkline_usage;

-- Every table with account_id calls one of these two after protect_by_account, or makes a restrictive policy by_tenant
-- of its own. They hold for every role, so that a function which runs with the rights of another role opens nothing.

-- A tenant sees its own rows only.
create procedure protect_by_tenant(target regclass, key_column name default 'tenant_id')
  language plpgsql
as $$
begin
  execute format(
    'create policy by_tenant on %s as restrictive using (current_tenant() is null or %I = current_tenant())',
    target, key_column
  );
end
$$;

-- No tenant sees any row.
create procedure staff_only(target regclass)
  language plpgsql
as $$
begin
  execute format(
    'create policy by_tenant on %s as restrictive
     using (current_tenant() is null or current_user = ''parkline_usage'')
     with check (current_tenant() is null)',
    target
  );
end
$$;

-- The operator is no secret from its tenants; nobody changes it through the API.
create policy by_tenant on account as restrictive using (true) with check (current_tenant() is null);

call staff_only('gateway');
call staff_only('equipment');
call staff_only('point');
call staff_only('gateway_status');
call staff_only('device_status');
call staff_only('reading_conflict');
call staff_only('point_latest');
call staff_only('reading_import');
