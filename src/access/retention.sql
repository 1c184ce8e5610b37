-- What is due by the rules of retention, and doing it. The rules are rows of the list `retention`; docs/personal-data-protection.md.

-- name: retention.due
-- timeout: 600000
SELECT d.rule, d.name, d.action, d.years, d.event, d.due, d.held, d.why FROM retention_due(coalesce(:at::date, local_today())) d

-- name: retention.apply
-- write: true
-- timeout: 600000
SELECT b.done, b.failed, b.told FROM retention_batch(:rule::text, coalesce(:at::date, local_today()), :most::integer) b

-- name: chore.retain
-- write: true
-- timeout: 60000
SELECT retention_turn(:retention_batch::integer)
