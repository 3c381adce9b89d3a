create table account (
  id uuid primary key,
  key text not null unique check (key ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name jsonb not null,
  created_at timestamptz not null default now()
);
call protect_by_account('account', 'id');
grant select on account to parkline_app;
grant select on account to parkline_ingest;

create table person (
  id uuid primary key,
  account_id uuid not null references account,
  login text not null check (length(login) between 1 and 200),
  name text not null check (length(name) between 1 and 200),
  -- PHC string of argon2id.
  password_hash text not null check (password_hash like '$argon2id$%'),
  roles text[] not null,
  created_at timestamptz not null default now(),
  disabled_at timestamptz,
  unique (account_id, id)
);
-- One login names one person on the whole server: it is typed before the account is known.
create unique index person_login on person (lower(login));
call protect_by_account('person');
grant select, update (password_hash) on person to parkline_app;

create table session (
  id uuid primary key,
  account_id uuid not null,
  person_id uuid not null,
  -- SHA-256 of the cookie: who reads this table cannot log in with it.
  token_hash bytea not null unique check (length(token_hash) = 32),
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null,
  foreign key (account_id, person_id) references person (account_id, id) on delete cascade
);
create index session_person on session (account_id, person_id);
create index session_expiry on session (expires_at);
call protect_by_account('session');
grant select, insert, delete on session to parkline_app;

-- Failed logins by SHA-256 of the login typed, known or not: people type passwords into the wrong field.
create table login_attempt (
  login_hash bytea primary key check (length(login_hash) = 32),
  failures integer not null check (failures > 0),
  last_at timestamptz not null
);
create index login_attempt_last on login_attempt (last_at);

create table audit_event (
  id bigint generated always as identity primary key,
  account_id uuid not null references account,
  at timestamptz not null,
  -- Who did it; null for the system itself.
  person_id uuid,
  action text not null,
  subject_id uuid,
  details jsonb not null default '{}',
  ip inet
);
create index audit_event_at on audit_event (account_id, at);
call protect_by_account('audit_event');
-- Insert only: what happened is not read, changed or taken back through the API's role.
grant insert on audit_event to parkline_app;
