-- How full a gateway's outbox is with what the cloud has not got, and how long it lasts if nothing is sent from now on.
alter table gateway_status add column outbox_waiting_bytes bigint, add column outbox_hours_left float8;
