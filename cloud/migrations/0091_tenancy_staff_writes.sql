-- What tenants see of places and leases is the staff's to write: a lease that a tenant gave itself would open every space.
-- A deletion asks no `with check`, and protect_by_tenant lets a tenant write its own rows.
create procedure staff_writes(target regclass)
  language plpgsql
as $$
begin
  execute format(
    'create policy by_tenant_added on %s as restrictive for insert to parkline_app with check (current_tenant() is null)',
    target
  );
  execute format(
    'create policy by_tenant_changed on %s as restrictive for update to parkline_app using (current_tenant() is null)',
    target
  );
  execute format(
    'create policy by_tenant_gone on %s as restrictive for delete to parkline_app using (current_tenant() is null)',
    target
  );
end
$$;

call staff_writes('site');
call staff_writes('building');
call staff_writes('floor');
call staff_writes('space');
call staff_writes('space_area');
call staff_writes('tenant');
call staff_writes('lease');
call staff_writes('lease_space');
