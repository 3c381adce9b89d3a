-- Other systems that are told what happens. An event becomes one delivery for each subscription that wants its kind; a
-- delivery is sent until the other side has it, for a day, and stays as the log of what was told.
create table webhook (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null check (length(name) between 1 and 200),
  url text not null check (length(url) <= 2000),
  kinds text[] not null check (cardinality(kinds) > 0),
  -- What deliveries are signed with.
  sealed_secret text not null,
  version integer not null default 1,
  created_at timestamptz not null,
  -- Nothing is sent from then on; what waits goes on waiting. 'person', or what the receiver did: 'failing', 'gone'.
  paused_at timestamptz,
  paused_why text check (paused_why in ('person', 'failing', 'gone')),
  -- Since when every attempt has failed.
  failing_since timestamptz,
  delivered_at timestamptz,
  check ((paused_at is null) = (paused_why is null)),
  unique (account_id, id)
);

create table webhook_delivery (
  id uuid primary key,
  account_id uuid not null,
  webhook_id uuid not null,
  -- Stable: a receiver knows by it what it was told before.
  event_id uuid not null,
  kind text not null,
  -- JSON, as it is sent and signed.
  body text not null,
  state text not null check (state in ('waiting', 'delivered', 'failed')),
  created_at timestamptz not null,
  -- When it is tried next; a try that is under way is tried again by then if its process dies.
  next_at timestamptz,
  attempts integer not null default 0,
  -- First and last try since it was last asked for.
  first_at timestamptz,
  last_at timestamptz,
  -- What came back: HTTP status and the beginning of the body, or why nothing did.
  status integer,
  reply text check (length(reply) <= 1000),
  error text check (length(error) <= 500),
  check ((state = 'waiting') = (next_at is not null)),
  foreign key (account_id, webhook_id) references webhook (account_id, id) on delete cascade,
  unique (webhook_id, event_id)
);
create index webhook_delivery_due on webhook_delivery (webhook_id, next_at, id) where state = 'waiting';
create index webhook_delivery_log on webhook_delivery (webhook_id, id);
create index webhook_delivery_age on webhook_delivery (created_at) where state <> 'waiting';

call protect_by_account('webhook');
call staff_only('webhook');
call account_wide('webhook');
call protect_by_account('webhook_delivery');
call staff_only('webhook_delivery');
call account_wide('webhook_delivery');
grant select, insert, update, delete on webhook to parkline_app;
grant select, insert, update on webhook_delivery to parkline_app;

grant select, update (paused_at, paused_why, failing_since, delivered_at) on webhook to parkline_worker;
grant select, insert, update, delete on webhook_delivery to parkline_worker;
create policy by_worker on webhook to parkline_worker using (true) with check (true);
create policy by_worker on webhook_delivery to parkline_worker using (true) with check (true);
