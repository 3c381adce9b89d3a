-- Tokens of wall screens: they read what is on the wall, and nothing else.
create table display_token (
  id uuid primary key,
  account_id uuid not null,
  name text not null check (length(name) between 1 and 100),
  -- Who made it: the screen shows what this person may read, and nothing once the person is gone.
  person_id uuid not null,
  -- SHA-256 of 256 random bits.
  secret_hash bytea not null check (length(secret_hash) = 32),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  seen_at timestamptz,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index display_token_account on display_token (account_id, id);
call protect_by_account('display_token');
call staff_only('display_token');
-- Whoever may make one sees them all: a screen that nobody knows is to be found and ended.
call unbounded('display_token');
grant select, insert, delete on display_token to parkline_app;
grant select, update on display_token to parkline_gate;
create policy by_gate on display_token to parkline_gate using (true);

grant create on schema public to parkline_gate;

-- Whom a token stands for. Notes that it was seen, at most once a minute.
create function display_token_find(token_id uuid, token_hash bytea, at timestamptz) returns table (
  account_id uuid, person_id uuid, grants jsonb
)
  language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
as $$
begin
  update public.display_token t set seen_at = at
    where t.id = token_id and t.secret_hash = token_hash and t.expires_at > at
      and (t.seen_at is null or t.seen_at < at - interval '1 minute');
  return query
    select t.account_id, t.person_id, public.grants_of(p.id)
    from public.display_token t
    join public.person p on p.id = t.person_id and p.disabled_at is null
    where t.id = token_id and t.secret_hash = token_hash and t.expires_at > at;
end
$$;
alter function display_token_find(uuid, bytea, timestamptz) owner to parkline_gate;

revoke create on schema public from parkline_gate;
grant execute on function display_token_find(uuid, bytea, timestamptz) to parkline_app;
