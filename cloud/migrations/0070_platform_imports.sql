-- Files of things that were brought in, and what each row was before: so that one can be taken back.
create table import_batch (
  id uuid primary key,
  account_id uuid not null references account,
  kind text not null,
  -- Name of the file, as it was told.
  file text,
  at timestamptz not null,
  -- Null: the command line.
  person_id uuid,
  added integer not null check (added >= 0),
  changed integer not null check (changed >= 0),
  undone_at timestamptz,
  foreign key (account_id, person_id) references person (account_id, id),
  unique (account_id, id)
);
create index import_batch_at on import_batch (account_id, id desc);

create table import_row (
  account_id uuid not null,
  batch_id uuid not null,
  ord integer not null,
  subject_id uuid not null,
  key text not null,
  -- Null: the row was added.
  before jsonb,
  after jsonb not null,
  -- What the import left it at. Whoever changed it since would lose that by an undo.
  version integer not null,
  primary key (batch_id, ord),
  foreign key (account_id, batch_id) references import_batch (account_id, id) on delete cascade
);

call protect_by_account('import_batch');
call protect_by_account('import_row');
call staff_only('import_batch');
call staff_only('import_row');
-- A file may hold rows of several buildings. No route lists its rows; an undo asks for each whether it is in sight.
call unbounded('import_batch');
call unbounded('import_row');
grant select, insert, update (undone_at) on import_batch to parkline_app;
grant select, insert, delete on import_row to parkline_app;
