-- The schema `enclave` of a shard: what lies outside every organisation. Owned by the owner's login.
-- The application's login may call these functions and nothing else; a tenant's role may not even look.
-- Run as a whole by tenants.bootstrap; every statement may be repeated.

CREATE SCHEMA IF NOT EXISTS enclave;
REVOKE ALL ON SCHEMA enclave FROM PUBLIC;

-- Wake rows: an organisation, a kind and a due time, and never a tenant's data.
CREATE TABLE IF NOT EXISTS enclave.wake (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation text NOT NULL CHECK (organisation ~ '^t_[a-z0-9]{20}$'),
    kind text NOT NULL CHECK (kind ~ '^[a-z_.]{1,60}$'),
    due timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS wake_due ON enclave.wake (due);
CREATE INDEX IF NOT EXISTS wake_organisation ON enclave.wake (organisation, kind);

-- The text that a new organisation's schema is made from.
CREATE TABLE IF NOT EXISTS enclave.template (
    digest text PRIMARY KEY,
    body text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    is_current boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX IF NOT EXISTS template_one_current ON enclave.template (is_current) WHERE is_current;

-- Every schema ever issued here, and how far it got.
CREATE TABLE IF NOT EXISTS enclave.issued (
    schema_name text PRIMARY KEY CHECK (schema_name ~ '^t_[a-z0-9]{20}$'),
    digest text NOT NULL,
    state text NOT NULL CHECK (state IN ('ready', 'claimed', 'live', 'dropped')),
    made_at timestamptz NOT NULL DEFAULT now(),
    claimed_at timestamptz
);
CREATE INDEX IF NOT EXISTS issued_ready ON enclave.issued (digest) WHERE state = 'ready';

-- Replays the template as a new schema with a role of the same name. The text names the template's
-- schema and role by one generated identifier, which occurs nowhere else, so a plain replacement is exact.
CREATE OR REPLACE FUNCTION enclave.replay(wanted text, next_state text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
    SET check_function_bodies = off
    SET client_min_messages = warning
    SET synchronous_commit = on
AS $body$
DECLARE
    template enclave.template;
BEGIN
    IF wanted !~ '^t_[a-z0-9]{20}$' THEN
        RAISE EXCEPTION 'not a name for a tenant''s schema' USING ERRCODE = 'invalid_name';
    END IF;
    IF next_state NOT IN ('ready', 'claimed') THEN
        RAISE EXCEPTION 'not a state to begin with';
    END IF;
    SELECT * INTO STRICT template FROM enclave.template WHERE is_current;
    EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
    EXECUTE format('GRANT %I TO enclave_app WITH INHERIT FALSE, SET TRUE, ADMIN FALSE', wanted);
    -- The owner's worker takes its jobs as the tenant does, and is the owner only while it makes an index.
    EXECUTE format('GRANT %I TO enclave_owner WITH INHERIT FALSE, SET TRUE', wanted);
    EXECUTE replace(template.body, 't_template000000000000', wanted);
    INSERT INTO enclave.issued (schema_name, digest, state, claimed_at)
    VALUES (wanted, template.digest, next_state, CASE next_state WHEN 'claimed' THEN now() END);
END
$body$;

-- Takes a ready schema of the current template; NULL when there is none.
CREATE OR REPLACE FUNCTION enclave.claim() RETURNS text
    LANGUAGE sql SECURITY DEFINER
    SET search_path = ''
AS $body$
    UPDATE enclave.issued SET state = 'claimed', claimed_at = now()
    WHERE schema_name = (
        SELECT schema_name FROM enclave.issued
        WHERE state = 'ready' AND digest = (SELECT digest FROM enclave.template WHERE is_current)
        ORDER BY made_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING schema_name
$body$;

-- Makes a claimed schema an organisation's for good; from here on discard refuses it.
CREATE OR REPLACE FUNCTION enclave.confirm(wanted text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $body$
BEGIN
    UPDATE enclave.issued SET state = 'live' WHERE schema_name = wanted AND state IN ('claimed', 'live');
    RETURN FOUND;
END
$body$;

-- Drops a schema that never became an organisation's; says false for one that did, true for one dropped before.
CREATE OR REPLACE FUNCTION enclave.discard(wanted text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
    SET client_min_messages = warning
AS $body$
BEGIN
    UPDATE enclave.issued SET state = 'dropped' WHERE schema_name = wanted AND state IN ('ready', 'claimed');
    IF NOT FOUND THEN
        RETURN EXISTS (SELECT FROM enclave.issued WHERE schema_name = wanted AND state = 'dropped');
    END IF;
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', wanted);
    DELETE FROM enclave.wake WHERE organisation = wanted;
    EXECUTE format('DROP ROLE IF EXISTS %I', wanted);
    RETURN true;
END
$body$;

-- Schemas that were claimed so long ago and never confirmed: a process may have died over them.
CREATE OR REPLACE FUNCTION enclave.stale_claims(age interval) RETURNS SETOF text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ''
AS $body$
    SELECT schema_name FROM enclave.issued WHERE state = 'claimed' AND claimed_at < now() - age
$body$;

-- How many ready schemas of the current template there are.
CREATE OR REPLACE FUNCTION enclave.ready_count() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ''
AS $body$
    SELECT count(*) FROM enclave.issued
    WHERE state = 'ready' AND digest = (SELECT digest FROM enclave.template WHERE is_current)
$body$;

-- Hands out what is due, once each for the length of the lease: a sweeper that dies loses nothing.
CREATE OR REPLACE FUNCTION enclave.due_wakes(most integer, lease interval)
    RETURNS TABLE (id bigint, organisation text, kind text)
    LANGUAGE sql SECURITY DEFINER
    SET search_path = ''
AS $body$
    UPDATE enclave.wake AS wake SET due = clock_timestamp() + lease
    FROM (
        SELECT inner_wake.id FROM enclave.wake AS inner_wake
        WHERE inner_wake.due <= clock_timestamp()
        ORDER BY inner_wake.due LIMIT most FOR UPDATE SKIP LOCKED
    ) AS picked
    WHERE wake.id = picked.id
    RETURNING wake.id, wake.organisation, wake.kind
$body$;

-- Forgets wake rows that have been answered.
CREATE OR REPLACE FUNCTION enclave.answered(ids bigint[]) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path = ''
AS $body$
    WITH gone AS (DELETE FROM enclave.wake WHERE id = ANY (ids) RETURNING 1) SELECT count(*) FROM gone
$body$;

-- Size on disk of an organisation's schema, for the console.
CREATE OR REPLACE FUNCTION enclave.schema_bytes(wanted text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ''
AS $body$
    SELECT COALESCE(sum(pg_catalog.pg_total_relation_size(class.oid)), 0)::bigint
    FROM pg_catalog.pg_class AS class
    JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
    WHERE namespace.nspname = wanted AND class.relkind = 'r'
$body$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA enclave FROM PUBLIC;
GRANT USAGE ON SCHEMA enclave TO enclave_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA enclave TO enclave_app;
