-- For the command line, which is told meters and not their account, and whose owner may be bound by the policies too.
grant create on schema public to parkline_ingest;

create function accounts_with_meters() returns table (id uuid, key text)
language sql stable security definer set search_path = pg_catalog, public, pg_temp as
$$ select distinct a.id, a.key from equipment e join account a on a.id = e.account_id order by a.key $$;
alter function accounts_with_meters() owner to parkline_ingest;

revoke create on schema public from parkline_ingest;
