-- How often the job was begun since it last failed or was enqueued, and when last. Counted in a transaction of its own, so that
-- a job which kills its process every time is known by it, and others are done before it is tried again.
alter table job
  add column starts integer not null default 0,
  add column started_at timestamptz;
