-- What a commodity costs on a site. A version is a whole tariff (bands, prices, calendar) from a local day on; it is never
-- changed, because bills name it.
create table tariff (
  id uuid primary key,
  account_id uuid not null,
  site_id uuid not null,
  key text not null,
  name jsonb not null,
  commodity text not null check (commodity in ('electricity', 'water', 'heat')),
  foreign key (account_id, site_id) references site (account_id, id),
  unique (account_id, key),
  unique (account_id, site_id, commodity),
  unique (account_id, id)
);

create table tariff_version (
  id uuid primary key,
  account_id uuid not null,
  tariff_id uuid not null,
  from_date date not null,
  -- As text of its own: numbers keep the digits that they were written with.
  body json not null,
  foreign key (account_id, tariff_id) references tariff (account_id, id),
  unique (account_id, tariff_id, from_date)
);

call protect_by_account('tariff');
call protect_by_account('tariff_version');
-- Prices are no secret from those who pay them.
create policy by_tenant on tariff as restrictive using (
  current_tenant() is null
  or exists (select from site s where s.account_id = tariff.account_id and s.id = tariff.site_id)
) with check (current_tenant() is null);
create policy by_tenant on tariff_version as restrictive using (
  current_tenant() is null
  or exists (select from tariff t where t.account_id = tariff_version.account_id and t.id = tariff_version.tariff_id)
) with check (current_tenant() is null);
grant select on tariff, tariff_version to parkline_app;

create function tariff_version_stays() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception 'a version of a tariff is never changed: add one from a later day' using errcode = 'restrict_violation';
end
$$;
create trigger tariff_version_stays before update or delete on tariff_version
  for each row execute function tariff_version_stays();
