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
ALTER TABLE enclave.template ADD COLUMN IF NOT EXISTS version text NOT NULL DEFAULT '';
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

-- The version that a schema was made at.
CREATE OR REPLACE FUNCTION enclave.made_at_version(wanted text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = ''
AS $body$
    SELECT template.version FROM enclave.issued JOIN enclave.template USING (digest)
    WHERE schema_name = wanted
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

-- What a migration of the fleet asks, inside its own transaction. Only the owner may: see the end.

-- A schema's version: a digest of the migrations that it has had, of the apps named, and of what its
-- comment says of everything that follows the migrations (tenants.schema.run_hooks).
CREATE OR REPLACE FUNCTION enclave.version_of(wanted text, labels text[]) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
AS $body$
DECLARE
    found text;
BEGIN
    EXECUTE format($had$
        SELECT encode(sha256(convert_to(concat_ws(E'\n',
            (SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $2),
            string_agg(had.name, E'\n' ORDER BY had.name COLLATE "C")
        ), 'UTF8')), 'hex')
        FROM (
            SELECT DISTINCT app || '.' || name AS name FROM %I.django_migrations WHERE app = ANY ($1)
        ) AS had
    $had$, wanted) INTO found USING labels, wanted;
    RETURN found;
END
$body$;

-- Goes on only where a schema is at the version that a script was recorded for.
CREATE OR REPLACE FUNCTION enclave.expect_version(wanted text, labels text[], expected text, aim text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
AS $body$
DECLARE
    found text := enclave.version_of(wanted, labels);
BEGIN
    IF found = aim THEN
        RAISE EXCEPTION '%', found USING ERRCODE = 'EN011';
    ELSIF found <> expected THEN
        RAISE EXCEPTION '%', found USING ERRCODE = 'EN012';
    END IF;
END
$body$;

-- Everything that the catalogue says of each table, view, sequence and function of a schema, a digest each.
-- Two schemas at one version have the same: the schema's own name, the order of columns and the indexes
-- that people asked for (ux_*) do not count. NULL for `names` means all.
CREATE OR REPLACE FUNCTION enclave.digests_of(wanted text, names text[]) RETURNS TABLE (name text, digest text)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog
AS $body$
    WITH relations AS (
        SELECT class.* , class.oid AS id FROM pg_class AS class
        WHERE class.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = wanted)
            AND class.relkind IN ('r', 'p', 'v', 'm', 'S') AND (names IS NULL OR class.relname = ANY (names))
    ), lines (name, line) AS (
        SELECT relname::text,
            concat_ws(' ', 'is', relkind, relpersistence, reloptions::text, relrowsecurity,
                (SELECT string_agg(acl::text, ',' ORDER BY acl::text COLLATE "C") FROM unnest(relacl) AS acl),
                CASE relkind WHEN 'v' THEN pg_get_viewdef(id) END)
        FROM relations
        UNION ALL
        SELECT relname::text,
            concat_ws(' ', 'column', att.attname, format_type(att.atttypid, att.atttypmod), att.attnotnull,
                att.attidentity, att.attgenerated, att.attcollation::regcollation, att.attacl::text,
                pg_get_expr(def.adbin, def.adrelid))
        FROM relations
        JOIN pg_attribute AS att ON att.attrelid = id AND att.attnum > 0 AND NOT att.attisdropped
        LEFT JOIN pg_attrdef AS def ON def.adrelid = id AND def.adnum = att.attnum
        WHERE relkind <> 'S'
        UNION ALL
        SELECT relname::text,
            concat_ws(' ', 'constraint', con.conname, pg_get_constraintdef(con.oid), con.convalidated)
        FROM relations JOIN pg_constraint AS con ON con.conrelid = id
        UNION ALL
        SELECT relations.relname::text, concat_ws(' ', 'index', pg_get_indexdef(idx.indexrelid), idx.indisvalid)
        FROM relations
        JOIN pg_index AS idx ON idx.indrelid = id
        JOIN pg_class AS own ON own.oid = idx.indexrelid AND NOT starts_with(own.relname, 'ux_')
        UNION ALL
        SELECT relname::text, concat_ws(' ', 'trigger', pg_get_triggerdef(tg.oid), tg.tgenabled)
        FROM relations JOIN pg_trigger AS tg ON tg.tgrelid = id AND NOT tg.tgisinternal
        UNION ALL
        SELECT proc.proname || '()',
            concat_ws(' ', 'function', pg_get_functiondef(proc.oid),
                (SELECT string_agg(acl::text, ',' ORDER BY acl::text COLLATE "C") FROM unnest(proc.proacl) AS acl))
        FROM pg_proc AS proc
        WHERE proc.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = wanted)
            AND (names IS NULL OR proc.proname || '()' = ANY (names))
    )
    SELECT lines.name, md5(replace(string_agg(line, E'\n' ORDER BY line COLLATE "C"), wanted, '@'))
    FROM lines GROUP BY lines.name
$body$;

-- Goes on only where the named parts of a schema are what they became on the canary.
CREATE OR REPLACE FUNCTION enclave.expect_digests(wanted text, names text[], digests text[]) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
AS $body$
DECLARE
    differing text;
BEGIN
    SELECT string_agg(expected.name, ', ' ORDER BY expected.name) INTO differing
    FROM unnest(names, digests) AS expected (name, digest)
    LEFT JOIN enclave.digests_of(wanted, names) AS found ON found.name = expected.name
    WHERE expected.digest IS DISTINCT FROM nullif(found.digest, '');
    IF differing IS NOT NULL THEN
        RAISE EXCEPTION 'differs from the canary in: %', differing USING ERRCODE = 'EN013';
    END IF;
END
$body$;

-- Restoring an organisation: a second schema beside the live one, under an issued name of its own, and the
-- exchange of the two. Only the owner may: see the end.
ALTER TABLE enclave.issued ADD COLUMN IF NOT EXISTS swaps integer NOT NULL DEFAULT 0;
ALTER TABLE enclave.issued DROP CONSTRAINT IF EXISTS issued_state_check;
ALTER TABLE enclave.issued ADD CONSTRAINT issued_state_check
    CHECK (state IN ('ready', 'claimed', 'live', 'dropped', 'loading', 'kept'));

-- Issues a name for a schema that is loaded from a bundle, and makes its role; nobody may take that role yet.
CREATE OR REPLACE FUNCTION enclave.begin_loading(wanted text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET client_min_messages = warning
AS $body$
BEGIN
    INSERT INTO enclave.issued (schema_name, digest, state) VALUES (wanted, 'bundle', 'loading')
    ON CONFLICT (schema_name) DO NOTHING;
    IF (SELECT state FROM enclave.issued WHERE schema_name = wanted) IS DISTINCT FROM 'loading' THEN
        RAISE EXCEPTION 'this schema is not one that is being loaded';
    END IF;
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', wanted);
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
    END IF;
END
$body$;

-- Drops a schema that was loaded and not taken, or one that was kept; says whether there was one.
CREATE OR REPLACE FUNCTION enclave.drop_kept(wanted text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET client_min_messages = warning
AS $body$
BEGIN
    UPDATE enclave.issued SET state = 'dropped' WHERE schema_name = wanted AND state IN ('loading', 'kept');
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', wanted);
    EXECUTE format('DROP ROLE IF EXISTS %I', wanted);
    RETURN true;
END
$body$;

-- Waits until nobody uses any table of a schema, and lets nobody in until the transaction ends.
CREATE OR REPLACE FUNCTION enclave.fence(wanted text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $body$
DECLARE
    found text;
BEGIN
    FOR found IN
        SELECT relname FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = wanted)
            AND relkind IN ('r', 'p') ORDER BY relname COLLATE "C"
    LOOP
        EXECUTE format('LOCK TABLE %I.%I IN ACCESS EXCLUSIVE MODE', wanted, found);
    END LOOP;
END
$body$;

-- Gives the name of one schema and its role to another, and what they name inside with it.
CREATE OR REPLACE FUNCTION enclave.rename_schema(old text, new text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
    SET check_function_bodies = off
AS $body$
DECLARE
    routine record;
BEGIN
    EXECUTE format('ALTER SCHEMA %I RENAME TO %I', old, new);
    EXECUTE format('ALTER ROLE %I RENAME TO %I', old, new);
    -- SET search_path FROM CURRENT keeps the path as words.
    FOR routine IN
        SELECT proc.oid::regprocedure AS id, replace(substr(setting, 13), old, new) AS path
        FROM pg_proc AS proc, unnest(proc.proconfig) AS setting
        WHERE proc.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = new)
            AND starts_with(setting, 'search_path=')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path TO %s', routine.id, routine.path);
    END LOOP;
END
$body$;

-- Exchanges the live schema of an organisation with a loaded or kept one, once for each number of exchanges:
-- false says that it had been done. The live name is the one that everybody may enter afterwards.
CREATE OR REPLACE FUNCTION enclave.swap(live text, other text, done integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $body$
DECLARE
    spare text := 't_' || left(md5(live || other || clock_timestamp()::text), 20);
BEGIN
    UPDATE enclave.issued SET state = 'kept', swaps = swaps + 1
    WHERE schema_name = other AND swaps = done AND state IN ('loading', 'kept');
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM enclave.rename_schema(live, spare);
    PERFORM enclave.rename_schema(other, live);
    PERFORM enclave.rename_schema(spare, other);
    EXECUTE format('REVOKE %I FROM enclave_app', other);
    EXECUTE format('GRANT %I TO enclave_app WITH INHERIT FALSE, SET TRUE, ADMIN FALSE', live);
    EXECUTE format('GRANT %I TO enclave_owner WITH INHERIT FALSE, SET TRUE', live);
    -- What was due then is not due now: jobs that were waiting are held.
    DELETE FROM enclave.wake WHERE organisation IN (live, other);
    RETURN true;
END
$body$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA enclave FROM PUBLIC;
GRANT USAGE ON SCHEMA enclave TO enclave_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA enclave TO enclave_app;
REVOKE EXECUTE ON FUNCTION enclave.version_of(text, text[]), enclave.expect_version(text, text[], text, text),
    enclave.digests_of(text, text[]), enclave.expect_digests(text, text[], text[]) FROM enclave_app;
REVOKE EXECUTE ON FUNCTION enclave.begin_loading(text), enclave.drop_kept(text), enclave.fence(text),
    enclave.rename_schema(text, text), enclave.swap(text, text, integer) FROM enclave_app;
