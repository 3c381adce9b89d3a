-- Whoever adds to a run holds it until the end of the transaction: of one who adds and one who locks at the same moment the
-- second waits, and sees what the first did.
create or replace function billing_part_stays() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  part constant record := case tg_op when 'DELETE' then old else new end;
  run record;
begin
  for run in
    select r.id, r.state from public.billing_run r
    where r.id = part.run_id or (tg_op = 'UPDATE' and r.id = old.run_id) order by r.id for share
  loop
    if run.state = 'locked' then
      raise exception 'billing run % is locked: correct it by another run', run.id using errcode = 'restrict_violation';
    end if;
  end loop;
  return part;
end
$$;

create or replace function billing_intervals_come() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  run record;
begin
  for run in
    select r.id, r.state from public.billing_run r where r.id in (select i.run_id from coming i) order by r.id for share
  loop
    if run.state = 'locked' then
      raise exception 'billing run % is locked: correct it by another run', run.id using errcode = 'restrict_violation';
    end if;
  end loop;
  return null;
end
$$;
