-- What gateways report beside their samples: gaps, results of commands, local alarms, configurations. Written once, never changed.
create table gateway_event (
  gateway_id uuid not null references gateway,
  -- Made by the gateway.
  id uuid not null,
  account_id uuid not null references account,
  type text not null,
  -- By the gateway's clock.
  at timestamptz not null,
  body jsonb not null,
  received_at timestamptz not null default now(),
  primary key (gateway_id, id)
);
create index gateway_event_list on gateway_event (account_id, gateway_id, at desc, id desc);

call protect_by_account('gateway_event');
call staff_only('gateway_event');
create policy by_ingest on gateway_event to parkline_ingest using (true) with check (true);
grant select, insert on gateway_event to parkline_ingest;
grant select on gateway_event to parkline_app;
