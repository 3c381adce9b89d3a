-- What whoever may read and only who acts everywhere may write: a deletion asks no `with check`, so it needs a word of its own.
create or replace procedure account_wide(target regclass, anyone_reads boolean default false)
  language plpgsql
as $$
begin
  execute format(
    'create policy by_building on %s as restrictive to parkline_app using (%s or (select current_buildings()) is null)
     with check ((select current_buildings()) is null)',
    target, case when anyone_reads then 'true' else 'false' end
  );
  if anyone_reads then
    execute format(
      'create policy by_building_gone on %s as restrictive for delete to parkline_app
       using ((select current_buildings()) is null)',
      target
    );
  end if;
end
$$;

do $$
declare
  target regclass;
begin
  foreach target in array
    array['fault_rule_setting', 'work_order_setting', 'identity_provider', 'release', 'rollout']::regclass[]
  loop
    execute format(
      'create policy by_building_gone on %s as restrictive for delete to parkline_app
       using ((select current_buildings()) is null)',
      target
    );
  end loop;
end
$$;
