-- A tenant does not learn from a refusal whom another tenant invites: each invites for itself, and who accepts first has the login.
drop index invitation_login;
create unique index invitation_login
  on invitation (account_id, coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'), lower(login))
  where accepted_at is null and revoked_at is null;

-- An address becomes a login only by a link that was sent there.
alter table invitation no force row level security;
update invitation set revoked_at = now()
  where accepted_at is null and revoked_at is null and position('@' in login) > 0 and lower(login) <> lower(email);
alter table invitation force row level security;
