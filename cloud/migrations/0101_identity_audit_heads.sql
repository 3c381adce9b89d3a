-- Where the chain of every account ends, for the process that writes it down elsewhere: a number and a hash, no deed.
grant create on schema public to parkline_audit;
create function audit_heads() returns table (account_id uuid, seq bigint, hash text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$ select h.account_id, h.seq, encode(h.hash, 'hex') from public.audit_head h order by h.account_id $$;
alter function audit_heads() owner to parkline_audit;
revoke create on schema public from parkline_audit;
grant execute on function audit_heads() to parkline_worker;
