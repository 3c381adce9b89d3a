-- Three group roles without login. They belong to the whole server, and several databases may be migrated at once,
-- so each is made if it is missing and a lost race is no failure.
--   parkline_app     the API: rows of one account at a time
--   parkline_ingest  ingest: gateways, points and readings of every account
--   parkline_gate    owns the few functions that look before an account is known (login, session, set-up)
do $$
declare
  wanted text;
begin
  foreach wanted in array array['parkline_app', 'parkline_ingest', 'parkline_gate'] loop
    begin
      execute format('create role %I nologin nosuperuser nocreatedb nocreaterole nobypassrls noinherit', wanted);
    exception
      when duplicate_object or unique_violation then null;
    end;
    -- An owner that is no superuser must be able to set the role at connect and to hand functions over to it.
    if not pg_has_role(current_user, wanted, 'set') then
      execute format('grant %I to current_user', wanted);
    end if;
  end loop;
end
$$;

-- Nothing is open by default: neither the schema nor a function made later.
revoke all on schema public from public;
grant usage on schema public to parkline_app, parkline_ingest, parkline_gate;
alter default privileges revoke execute on functions from public;

-- The account of the running transaction; null outside one, and then no row is visible.
create function current_account() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('app.account_id', true), '')::uuid;
grant execute on function current_account() to parkline_app, parkline_ingest, parkline_gate;

-- Every table with account_id calls this once, right after it is made: rows of other accounts do not exist,
-- not even for the owner.
create procedure protect_by_account(target regclass, key_column name default 'account_id')
  language plpgsql
as $$
begin
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  execute format(
    'create policy by_account on %s using (%I = current_account()) with check (%I = current_account())',
    target, key_column, key_column
  );
end
$$;
