-- When the first value of one of its points was there: the last step of setting a gateway up.
alter table gateway add column first_value_at timestamptz;
update gateway g set first_value_at = now() where exists (
  select from point_latest l join point p on p.num = l.point_num join equipment e on e.id = p.equipment_id
  where e.gateway_id = g.id);
grant update (first_value_at) on gateway to parkline_ingest;

alter table gateway_mapping rename column devices to park;
