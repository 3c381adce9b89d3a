-- Readings have no row-level security: these functions are the way to them, and a tenant has none. The point is closed to
-- a tenant already (its policy); here it is said again, because everything below reading_point_num trusts its answer.
create or replace function reading_point_num(p_point uuid) returns int4
language sql stable security definer set search_path = pg_catalog, public, pg_temp as
$$ select num from point where id = p_point and account_id = current_account() and current_tenant() is null $$;
