-- Reports of gateways are dropped by background work after their time.
create policy by_worker on gateway_event for delete to parkline_worker using (true);
create policy by_worker_sees on gateway_event for select to parkline_worker using (true);
grant select, delete on gateway_event to parkline_worker;
create index gateway_event_received on gateway_event (received_at);
