-- Proof that a meter is what the cloud takes it for: what the installer read from it, beside what telemetry says of that moment.

create table commissioning (
  equipment_id uuid primary key,
  account_id uuid not null references account,
  -- The register that is compared.
  point_id uuid not null,
  state text not null check (state in ('open', 'passed', 'failed', 'waived')),
  version integer not null default 1,
  serial text,
  -- As they are written on the meter and its transformers: digits count, so text.
  ct_ratio text check (ct_ratio ~ '^\d{1,12}(\.\d{1,6})?$'),
  pt_ratio text check (pt_ratio ~ '^\d{1,12}(\.\d{1,6})?$'),
  -- Where the ratio is in: what the meter sends, its display too, or only the metering that bills are made of.
  ratio_applied text check (ratio_applied in ('telemetry', 'display', 'billing')),
  display text check (display ~ '^\d{1,12}(\.\d{1,6})?$'),
  read_at timestamptz,
  later_display text check (later_display ~ '^\d{1,12}(\.\d{1,6})?$'),
  later_read_at timestamptz check (later_read_at > read_at),
  -- The nameplate.
  photo_id uuid,
  recorded_by uuid,
  recorded_at timestamptz,
  -- Result of the latest check, as it is shown.
  checks jsonb not null default '[]',
  metering_multiplier numeric,
  ratio_fault text check (ratio_fault in ('applied_twice', 'not_applied')),
  checked_at timestamptz,
  waived_by uuid,
  waived_at timestamptz,
  waive_reason text check (length(waive_reason) between 10 and 500),
  foreign key (account_id, equipment_id) references equipment (account_id, id) on delete cascade,
  foreign key (account_id, point_id) references point (account_id, id) on delete cascade,
  foreign key (account_id, recorded_by) references person (account_id, id),
  foreign key (account_id, waived_by) references person (account_id, id),
  check ((display is null) = (read_at is null)),
  check ((later_display is null) = (later_read_at is null)),
  check ((state = 'waived') = (waive_reason is not null and waived_by is not null and waived_at is not null)),
  check (state not in ('passed', 'failed') or display is not null)
);
call protect_by_account('commissioning');
call staff_only('commissioning');
call bounded_by('commissioning', 'equipment', 'equipment_id');
grant select, insert, update on commissioning to parkline_app, parkline_worker;

-- A report is fixed when it is made; two people sign it, then its paper is drawn and sealed.
create table commissioning_report (
  id uuid primary key,
  account_id uuid not null references account,
  gateway_id uuid not null,
  seq integer not null,
  content jsonb not null,
  created_at timestamptz not null,
  created_by uuid not null,
  pdf bytea,
  -- Canonical JSON with the SHA-256 of the paper, and the cloud's Ed25519 signature over it (base64url).
  proof text,
  signature text,
  public_key text,
  unique (account_id, id),
  unique (account_id, seq),
  foreign key (account_id, gateway_id) references gateway (account_id, id),
  foreign key (account_id, created_by) references person (account_id, id),
  check ((pdf is null) = (proof is null)),
  check (signature is null or proof is not null)
);
create index commissioning_report_seal on commissioning_report (id) where proof is not null and signature is null;
call protect_by_account('commissioning_report');
call staff_only('commissioning_report');
call bounded_by('commissioning_report', 'gateway', 'gateway_id');
grant select, insert on commissioning_report to parkline_app;
grant select, update (pdf, proof) on commissioning_report to parkline_worker;
-- Whoever holds the cloud's key seals, over all accounts.
grant select (id, account_id, proof, signature), update (signature, public_key) on commissioning_report to parkline_ingest;
create policy by_ingest on commissioning_report to parkline_ingest using (true) with check (true);

create table commissioning_signature (
  account_id uuid not null references account,
  report_id uuid not null,
  signed_as text not null check (signed_as in ('installer', 'engineer')),
  person_id uuid not null,
  person_name text not null,
  at timestamptz not null,
  -- Kinds of second factor that the person has; one of them was given within ten minutes.
  factor text not null,
  primary key (report_id, signed_as),
  -- Two people.
  unique (report_id, person_id),
  foreign key (account_id, report_id) references commissioning_report (account_id, id),
  foreign key (account_id, person_id) references person (account_id, id)
);
call protect_by_account('commissioning_signature');
call staff_only('commissioning_signature');
call bounded_by('commissioning_signature', 'commissioning_report', 'report_id');
grant select, insert on commissioning_signature to parkline_app;
grant select on commissioning_signature to parkline_worker;

-- The check reads the samples around one moment, and which multiplier metering applies then.
grant execute on function reading_raw(uuid, timestamptz, timestamptz, int4) to parkline_worker;
grant select on meter_installation to parkline_app, parkline_worker;
