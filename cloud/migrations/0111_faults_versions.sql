-- Somebody who changes a fault rule, or how orders are dispatched, has read it before: of two who began with the same, the
-- second is told what the first has made of it. No row, nothing set: version 0.
alter table fault_rule_setting add column version integer not null default 1;
alter table work_order_setting add column version integer not null default 1;
