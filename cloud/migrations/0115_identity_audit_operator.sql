-- What somebody does by the command line on the server has no person, and is not what the system does by itself: the user of
-- the operating system is noted, whom the connection names. Before audit_salt, by name, so that it is part of the chain.
create function audit_by_operator() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  who text := nullif(current_setting('app.operator', true), '');
begin
  if who is not null then
    new.content := coalesce(new.content, '{}') || jsonb_build_object(
      'details', coalesce(new.content -> 'details', '{}') || jsonb_build_object('commandLine', who));
  end if;
  return new;
end
$$;
create trigger audit_by_operator before insert on audit_event for each row execute function audit_by_operator();
