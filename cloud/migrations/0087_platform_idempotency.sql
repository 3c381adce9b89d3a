-- Requests that were carried out under a key of their sender's choice: sent again they are answered and not done again.
create table idempotency_key (
  account_id uuid not null references account,
  -- Who asked: a person, or an API key.
  actor_id uuid not null,
  key text not null check (length(key) between 1 and 200),
  person_id uuid not null,
  tenant_id uuid,
  -- Of method, address and body.
  request_hash bytea not null check (length(request_hash) = 32),
  -- Which try has it in hand; a later one takes over from one whose process died, and the earlier can no longer commit.
  attempt integer not null default 1,
  begun_at timestamptz not null,
  -- Set in the transaction of the deed itself.
  done_at timestamptz,
  -- What was answered; null while it runs, and for good where the answer holds a secret.
  status integer,
  headers jsonb,
  body text,
  primary key (account_id, actor_id, key),
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index idempotency_key_age on idempotency_key (account_id, begun_at);
call protect_by_account('idempotency_key');
call protect_by_tenant('idempotency_key');
-- Reached by its actor only; the answers were bounded when they were given.
call unbounded('idempotency_key');
grant select, insert, update, delete on idempotency_key to parkline_app;
