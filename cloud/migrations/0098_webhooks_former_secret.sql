-- What a subscription signed with before its secret was replaced: deliveries carry that signature as well until then, so
-- that the receiver can take the new secret over without refusing anything.
create table webhook_former_secret (
  id uuid primary key,
  account_id uuid not null,
  webhook_id uuid not null,
  sealed_secret text not null,
  valid_until timestamptz not null,
  foreign key (account_id, webhook_id) references webhook (account_id, id) on delete cascade
);
create index webhook_former_secret_webhook on webhook_former_secret (account_id, webhook_id);
create index webhook_former_secret_expiry on webhook_former_secret (valid_until);

call protect_by_account('webhook_former_secret');
call staff_only('webhook_former_secret');
call account_wide('webhook_former_secret');
grant select, insert on webhook_former_secret to parkline_app;
grant select, delete on webhook_former_secret to parkline_worker;
create policy by_worker on webhook_former_secret to parkline_worker using (true) with check (true);
