-- The plan of a floor: a picture, and on it spaces as polygons and devices as points.
create table floor_plan (
  floor_id uuid primary key,
  account_id uuid not null,
  -- A picture drawn anew by us, or an SVG cut down to what draws.
  media_type text not null check (media_type in ('image/webp', 'image/svg+xml')),
  -- Of the picture, in its own units: only their proportion matters.
  width integer not null check (width between 1 and 100000),
  height integer not null check (height between 1 and 100000),
  sha256 bytea not null check (length(sha256) = 32),
  bytes bytea not null check (length(bytes) <= 10485760),
  -- {"spaces": [{"spaceId", "ring": [[x, y], ...]}], "devices": [{"equipmentId", "at": [x, y]}]}; 0,0 is the upper left, 1,1
  -- the lower right corner of the picture.
  marks jsonb not null check (jsonb_typeof(marks) = 'object'),
  version integer not null default 1,
  changed_at timestamptz not null,
  changed_by uuid not null,
  foreign key (account_id, floor_id) references floor (account_id, id) on delete cascade,
  foreign key (account_id, changed_by) references person (account_id, id)
);
create trigger version_bump before update on floor_plan for each row
  when (old.* is distinct from new.*) execute function version_bump();
call protect_by_account('floor_plan');
call staff_only('floor_plan');
call bounded_by('floor_plan', 'floor', 'floor_id');
grant select, insert, update, delete on floor_plan to parkline_app;
