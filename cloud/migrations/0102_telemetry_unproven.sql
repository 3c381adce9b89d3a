-- How many messages of a gateway wait that nobody has proven to be its own.
create index quarantine_unproven on quarantine (gateway) where seq is null and resolved_at is null;
