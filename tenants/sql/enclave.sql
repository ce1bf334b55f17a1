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
    INSERT INTO enclave.placed (schema_name, epoch, state) VALUES (wanted, 1, 'open');
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
    DELETE FROM enclave.placed WHERE schema_name = wanted;
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
    space oid := (SELECT oid FROM pg_namespace WHERE nspname = wanted);
    had text;
BEGIN
    -- One query over one table: it is planned anew for each schema.
    EXECUTE format(
        $q$SELECT string_agg(DISTINCT (app || '.' || name) COLLATE "C", E'\n' ORDER BY (app || '.' || name) COLLATE "C")
        FROM %I.django_migrations WHERE app = ANY ($1)$q$, wanted
    ) INTO had USING labels;
    RETURN encode(sha256(convert_to(concat_ws(E'\n', (
        SELECT description FROM pg_description
        WHERE objoid = space AND classoid = 'pg_namespace'::regclass AND objsubid = 0
    ), had), 'UTF8')), 'hex');
END
$body$;

-- A mark that is the same for two schemas that have had the same migrations and have the same comment, and is
-- cheaper than a version: nothing is sorted or sought. Two that differ in it may be at one version all the same.
CREATE OR REPLACE FUNCTION enclave.mark_of(wanted text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
AS $body$
DECLARE
    had bigint;
    which bigint;
BEGIN
    EXECUTE format(
        'SELECT count(*), bit_xor(hashtextextended(name, hashtext(app))) FROM ONLY %I.django_migrations', wanted
    ) INTO had, which;
    RETURN concat_ws(' ', had, which, obj_description(to_regnamespace(quote_ident(wanted)), 'pg_namespace'));
END
$body$;

-- Begins a script on a schema that is at the version it was recorded for, and on no other. Sets for the rest
-- of the transaction what every script needs, and writes down the migrations that it consists of: here, since a
-- statement more is paid for with every schema. `mark` is the canary's when it was at the version `expected`.
DROP FUNCTION IF EXISTS enclave.expect_version(text, text[], text, text);
DROP FUNCTION IF EXISTS enclave.begin_script(text, text, text[], text, text, integer);
CREATE OR REPLACE FUNCTION enclave.begin_script(
    wanted text, mark text, labels text[], expected text, aim text, lock_timeout_ms integer, apps text[], names text[]
) RETURNS void
    LANGUAGE plpgsql
    -- One path for all schemas, or each of its queries is planned anew for each of them.
    SET search_path = pg_catalog
AS $body$
DECLARE
    found text;
    written integer;
BEGIN
    PERFORM set_config('lock_timeout', lock_timeout_ms::text, true), set_config('enclave.at', wanted, false),
        -- Whoever runs scripts waits for the disk before believing them: a lost one is found and done again.
        set_config('synchronous_commit', 'off', true), set_config('check_function_bodies', 'off', true);
    -- Before anything is looked at: an organisation must not move away under it (tenants.staying), and what a
    -- killed process has sent may still be at work.
    PERFORM pg_advisory_xact_lock_shared(1162756940, hashtext(wanted)), pg_advisory_xact_lock(1162756941, hashtext(wanted));
    IF EXISTS (SELECT FROM enclave.placed WHERE schema_name = wanted AND state <> 'open') THEN
        RAISE EXCEPTION 'it lives on another shard now' USING ERRCODE = 'EN014';
    END IF;
    found := (
        SELECT description FROM pg_description
        WHERE objoid = (SELECT oid FROM pg_namespace WHERE nspname = wanted)
            AND classoid = 'pg_namespace'::regclass AND objsubid = 0
    );
    -- It asks and writes at once, as little as possible: it is planned anew for each schema.
    EXECUTE format(
        'INSERT INTO %1$I.django_migrations (app, name, applied) SELECT app, name, now() FROM unnest($1, $2) AS new (app, name)
        WHERE $3 = (SELECT concat_ws('' '', count(*), bit_xor(hashtextextended(name, hashtext(app))), $4)
            FROM ONLY %1$I.django_migrations)', wanted
    ) USING apps, names, mark, found;
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written > 0 OR cardinality(names) = 0 AND enclave.mark_of(wanted) = mark THEN
        RETURN;
    END IF;
    found := enclave.version_of(wanted, labels);
    IF found = aim THEN
        RAISE EXCEPTION '%', found USING ERRCODE = 'EN011';
    ELSIF found <> expected THEN
        RAISE EXCEPTION '%', found USING ERRCODE = 'EN012';
    END IF;
    EXECUTE format(
        'INSERT INTO %I.django_migrations (app, name, applied) SELECT app, name, now() FROM unnest($1, $2) AS new (app, name)',
        wanted
    ) USING apps, names;
END
$body$;

-- Runs a script on some schemas, each in a transaction of its own, and stops at the first that fails: the setting
-- `enclave.at` names the last that was committed. `body` is the script for the schema `canary`. The server goes
-- from one to the next by itself: the way to the client and back costs a tenth of a script.
CREATE OR REPLACE PROCEDURE enclave.run_scripts(body text, canary text, schemas text[])
    LANGUAGE plpgsql
AS $body$
BEGIN
    PERFORM pg_catalog.set_config('enclave.at', '', false);
    COMMIT;
    FOR place IN 1 .. pg_catalog.cardinality(schemas) LOOP
        -- All in one text: what is asked here is planned anew wherever the path is another than before.
        EXECUTE pg_catalog.replace(body, canary, schemas[place]);
        COMMIT;
    END LOOP;
END
$body$;

CREATE OR REPLACE FUNCTION enclave.bare(expression text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $body$
    SELECT pg_catalog.regexp_replace(expression, '::(text|character varying)(\[\])?|[()]', '', 'g')
$body$;

-- What the catalogue says of one part of a schema, as a digest; NULL where there is no such part. A part is
-- 'TABLE is', 'TABLE columns', 'TABLE constraints', 'TABLE indexes', 'TABLE triggers' or 'FUNCTION()', with @ where
-- a function has the schema's own name in its.
-- Asked for by name: no index leads from a schema to a table by anything else. One query for each kind, each
-- as plain as can be: a fleet pays for it once for each schema. Its callers set the path and how it is planned.
CREATE OR REPLACE FUNCTION enclave.digest_of(wanted text, space oid, part text) RETURNS text
    LANGUAGE plpgsql STABLE
AS $body$
DECLARE
    named name := split_part(part, ' ', 1);
    kind text := split_part(part, ' ', 2);
    relation oid;
BEGIN
    IF kind = '' THEN
        RETURN (
            SELECT md5(replace(string_agg(
                concat_ws(' ', pg_get_functiondef(oid),
                    (SELECT string_agg(acl, ',' ORDER BY acl COLLATE "C")
                     FROM unnest(coalesce(proacl, acldefault('f', proowner))::text[]) AS acl)),
                E'\n' ORDER BY pg_get_function_identity_arguments(oid)), wanted, '@'))
            FROM pg_proc WHERE proname = replace(left(named::text, -2), '@', wanted)::name AND pronamespace = space
        );
    END IF;
    relation := (SELECT oid FROM pg_class WHERE relname = named AND relnamespace = space);
    IF kind = 'is' THEN
        RETURN (
            SELECT md5(replace(
                concat_ws(' ', relkind, relpersistence, reloptions::text, relrowsecurity,
                    (SELECT string_agg(acl, ',' ORDER BY acl COLLATE "C")
                     FROM unnest(coalesce(relacl, acldefault(
                        (CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", relowner
                     ))::text[]) AS acl),
                    CASE relkind WHEN 'v' THEN enclave.bare(pg_get_viewdef(oid)) END), wanted, '@'))
            FROM pg_class WHERE oid = relation
        );
    ELSIF kind = 'columns' THEN
        RETURN (
            SELECT md5(replace(string_agg(
                concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
                    CASE WHEN attcollation NOT IN (0, 100) THEN attcollation::regcollation END, attacl::text,
                    CASE WHEN atthasdef THEN (
                        -- A default names no column, and so needs no table opened to be written.
                        SELECT pg_get_expr(adbin, CASE attgenerated WHEN '' THEN 0 ELSE adrelid END) FROM pg_attrdef
                        WHERE adrelid = attrelid AND adnum = attnum
                    ) END), E'\n' ORDER BY attname), wanted, '@'))
            FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
        );
    ELSIF kind = 'constraints' THEN
        RETURN (
            SELECT md5(replace(string_agg(
                concat_ws(' ', conname, convalidated,
                    CASE contype WHEN 'c' THEN enclave.bare(pg_get_constraintdef(oid))
                        ELSE pg_get_constraintdef(oid) END), E'\n' ORDER BY conname), wanted, '@'))
            FROM pg_constraint WHERE conrelid = relation
        );
    ELSIF kind = 'indexes' THEN
        RETURN (
            SELECT md5(replace(string_agg(
                concat_ws(' ', indisvalid,
                    CASE WHEN indpred IS NULL AND indexprs IS NULL THEN pg_get_indexdef(indexrelid)
                        ELSE enclave.bare(pg_get_indexdef(indexrelid)) END), E'\n' ORDER BY own.relname), wanted, '@'))
            FROM pg_index JOIN pg_class AS own ON own.oid = indexrelid AND NOT starts_with(own.relname, 'ux_')
            WHERE indrelid = relation
        );
    ELSIF kind = 'triggers' THEN
        RETURN (
            SELECT md5(replace(string_agg(
                -- In words only where there is more to it than a function and when it is called.
                concat_ws(' ', tgname, tgtype, tgenabled, tgattr, tgargs, (
                    SELECT concat(pronamespace::regnamespace, '.', proname) FROM pg_proc WHERE pg_proc.oid = tgfoid
                ), CASE WHEN tgqual IS NOT NULL OR tgconstraint <> 0 OR tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL
                    THEN pg_get_triggerdef(oid) END), E'\n' ORDER BY tgname), wanted, '@'))
            FROM pg_trigger WHERE tgrelid = relation AND NOT tgisinternal
        );
    END IF;
    RAISE EXCEPTION 'no such part: %', part;
END
$body$;

-- Everything that the catalogue says of the tables, views, sequences and functions of a schema, a digest a part.
-- Two schemas at one version have the same: the schema's own name, the order of columns and the indexes
-- that people asked for (ux_*) do not count; nor do the casts and brackets of expressions, which PostgreSQL
-- writes in another way once it has read them back from a dump. NULL for `names` means all; a part that is
-- not there (a table without triggers) has no row.
CREATE OR REPLACE FUNCTION enclave.digests_of(wanted text, names text[]) RETURNS TABLE (name text, digest text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
    SET plan_cache_mode = force_generic_plan
    -- Always by index: a plan that suits a short catalogue, kept while it grows, reads all of it for each schema.
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
AS $body$
DECLARE
    space oid := (SELECT oid FROM pg_namespace WHERE nspname = wanted);
BEGIN
    -- What lies in a schema depends on it, and that has an index.
    names := coalesce(names, ARRAY(
        SELECT relname || ' ' || kind
        FROM pg_depend JOIN pg_class ON oid = objid
        CROSS JOIN unnest(ARRAY['is', 'columns', 'constraints', 'indexes', 'triggers']) AS kind
        WHERE refclassid = 'pg_namespace'::regclass AND refobjid = space AND classid = 'pg_class'::regclass
            AND (relkind IN ('r', 'p', 'v', 'm') OR relkind = 'S' AND kind = 'is')
        UNION
        SELECT replace(proname, wanted, '@') || '()' FROM pg_depend JOIN pg_proc ON oid = objid
        WHERE refclassid = 'pg_namespace'::regclass AND refobjid = space AND classid = 'pg_proc'::regclass
    ));
    FOREACH name IN ARRAY names LOOP
        digest := enclave.digest_of(wanted, space, name);
        IF digest IS NOT NULL THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$body$;

-- What each part of a schema (see digest_of) is made of, as a number that changes when any of its rows in the
-- catalogue is written: of two looks, the parts that differ are those that somebody touched in between. Much
-- cheaper than digests, and says nothing of another schema. It misses what follows from a change elsewhere (an
-- index is written in words with the new name of a column), which is as it should be: that part is not touched.
CREATE OR REPLACE FUNCTION enclave.rows_of(wanted text) RETURNS TABLE (name text, written bigint)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
    SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
AS $body$
DECLARE
    space oid := (SELECT oid FROM pg_namespace WHERE nspname = wanted);
BEGIN
    RETURN QUERY
    WITH relation AS MATERIALIZED (
        SELECT class.* FROM pg_depend JOIN pg_class AS class ON class.oid = objid
        WHERE refclassid = 'pg_namespace'::regclass AND refobjid = space AND classid = 'pg_class'::regclass
            AND relkind IN ('r', 'p', 'v', 'm', 'S')
    ), part (relname, kind, row) AS (
        SELECT relname, 'is', concat_ws(' ', relkind, relpersistence, reloptions, relrowsecurity, relacl) FROM relation
        UNION ALL
        SELECT relname, 'is', concat_ws(' ', rule.oid, rule.xmin)
        FROM relation JOIN pg_rewrite AS rule ON ev_class = relation.oid WHERE relkind IN ('v', 'm')
        UNION ALL
        SELECT relname, 'columns', concat_ws(' ', attnum, own.xmin)
        FROM relation JOIN pg_attribute AS own ON attrelid = relation.oid AND attnum > 0 WHERE relkind <> 'S'
        UNION ALL
        SELECT relname, 'columns', concat_ws(' ', 'default', own.oid, own.xmin)
        FROM relation JOIN pg_attrdef AS own ON adrelid = relation.oid
        UNION ALL
        SELECT relname, 'constraints', concat_ws(' ', own.oid, own.xmin)
        FROM relation JOIN pg_constraint AS own ON conrelid = relation.oid
        UNION ALL
        SELECT relation.relname, 'indexes', concat_ws(' ', indexrelid, own.xmin, class.xmin)
        FROM relation JOIN pg_index AS own ON indrelid = relation.oid JOIN pg_class AS class ON class.oid = indexrelid
        UNION ALL
        SELECT relname, 'triggers', concat_ws(' ', own.oid, own.xmin)
        FROM relation JOIN pg_trigger AS own ON tgrelid = relation.oid AND NOT tgisinternal
    )
    SELECT part.relname || ' ' || part.kind, bit_xor(hashtextextended(part.row, 0)) FROM part GROUP BY 1
    UNION ALL
    SELECT replace(proname, wanted, '@') || '()', bit_xor(hashtextextended(concat_ws(' ', own.oid, own.xmin), 0))
    FROM pg_depend JOIN pg_proc AS own ON own.oid = objid
    WHERE refclassid = 'pg_namespace'::regclass AND refobjid = space AND classid = 'pg_proc'::regclass
    GROUP BY proname;
END
$body$;

-- Goes on only where the named parts of a schema are what they became on the canary.
CREATE OR REPLACE FUNCTION enclave.expect_digests(wanted text, names text[], digests text[]) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
    SET plan_cache_mode = force_generic_plan
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
AS $body$
DECLARE
    space oid := (SELECT oid FROM pg_namespace WHERE nspname = wanted);
    differing text[];
BEGIN
    FOR place IN 1 .. cardinality(names) LOOP
        IF coalesce(enclave.digest_of(wanted, space, names[place]), '') <> digests[place] THEN
            differing := differing || names[place];
        END IF;
    END LOOP;
    IF differing IS NOT NULL THEN
        RAISE EXCEPTION 'differs from the canary in: %', array_to_string(differing, ', ') USING ERRCODE = 'EN013';
    END IF;
END
$body$;

-- Placement: which schemas may be entered here, and at which epoch of the organisation's placement.
-- 'coming' is the copy that a move makes, 'closed' the one that it left behind. A schema without a row may
-- not be entered: every schema is issued with one, and those issued before there were moves get theirs here.
CREATE TABLE IF NOT EXISTS enclave.placed (
    schema_name text PRIMARY KEY CHECK (schema_name ~ '^t_[a-z0-9]{20}$'),
    epoch integer NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'coming', 'closed')),
    since timestamptz NOT NULL DEFAULT now()
);
INSERT INTO enclave.placed (schema_name, epoch, state)
SELECT schema_name, 1, 'open' FROM enclave.issued WHERE state IN ('ready', 'claimed', 'live')
ON CONFLICT DO NOTHING;

-- Lets a transaction into a schema, or raises EN021. The lock is shared with everybody but a move that
-- switches: it takes the same one alone, so whoever was let in has ended before, and all others wait for it.
CREATE OR REPLACE FUNCTION enclave.admit(wanted text, at_epoch integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = ''
AS $body$
BEGIN
    PERFORM pg_catalog.pg_advisory_xact_lock_shared(1162756940, pg_catalog.hashtext(wanted));
    IF pg_catalog.current_setting('transaction_isolation') <> 'read committed'
        AND pg_catalog.current_setting('transaction_read_only') = 'off'
    THEN
        -- Its snapshot may be older than the lock. Whoever changed the row since makes this fail.
        PERFORM FROM enclave.placed WHERE schema_name = wanted FOR SHARE;
    END IF;
    PERFORM FROM enclave.placed WHERE schema_name = wanted AND epoch = at_epoch AND state = 'open';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this organisation does not live here at epoch %', at_epoch USING ERRCODE = 'EN021';
    END IF;
END
$body$;

-- Makes the empty copy of a schema that a move fills: no rows, and the trail's triggers silent, because they
-- would also fire for what is copied. What an earlier move left behind under the name is dropped first.
CREATE OR REPLACE FUNCTION enclave.receive(wanted text, at_epoch integer, at_version text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = ''
    SET check_function_bodies = off
    SET client_min_messages = warning
AS $body$
DECLARE
    template enclave.template;
BEGIN
    IF EXISTS (SELECT FROM enclave.placed WHERE schema_name = wanted) THEN
        PERFORM enclave.leave(wanted);
    END IF;
    SELECT * INTO template FROM enclave.template WHERE version = at_version
    ORDER BY is_current DESC, made_at DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no template of this version' USING ERRCODE = 'EN022';
    END IF;
    -- Roles belong to the server: where both shards are on one, the organisation's is there already.
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
        EXECUTE format('GRANT %I TO enclave_app WITH INHERIT FALSE, SET TRUE, ADMIN FALSE', wanted);
        EXECUTE format('GRANT %I TO enclave_owner WITH INHERIT FALSE, SET TRUE', wanted);
    END IF;
    EXECUTE replace(template.body, 't_template000000000000', wanted);
    INSERT INTO enclave.issued (schema_name, digest, state, claimed_at)
    VALUES (wanted, template.digest, 'live', now())
    ON CONFLICT (schema_name) DO UPDATE SET digest = excluded.digest, state = 'live', claimed_at = now();
    INSERT INTO enclave.placed (schema_name, epoch, state) VALUES (wanted, at_epoch, 'coming');
    PERFORM enclave.trail_triggers(wanted, 'DISABLE');
    EXECUTE (
        SELECT 'TRUNCATE ' || string_agg(format('%I.%I', wanted, tablename), ', ') FROM pg_catalog.pg_tables
        WHERE schemaname = wanted
    );
END
$body$;

-- Silences the triggers of the trail in a schema ('DISABLE'), or lets them speak whoever writes ('ENABLE ALWAYS').
CREATE OR REPLACE FUNCTION enclave.trail_triggers(wanted text, how text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = ''
AS $body$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT class.relname, tg.tgname FROM pg_catalog.pg_trigger AS tg
        JOIN pg_catalog.pg_class AS class ON class.oid = tg.tgrelid
        JOIN pg_catalog.pg_namespace AS namespace ON namespace.oid = class.relnamespace
        WHERE namespace.nspname = wanted AND NOT tg.tgisinternal AND starts_with(tg.tgname, 'audit_')
            AND tg.tgenabled <> CASE how WHEN 'DISABLE' THEN 'D' ELSE 'A' END::"char"
    LOOP
        EXECUTE format('ALTER TABLE %I.%I ', wanted, found.relname) || how || format(' TRIGGER %I', found.tgname);
    END LOOP;
END
$body$;

-- Drops the copy that a move left behind or gave up. Never one that is open.
CREATE OR REPLACE FUNCTION enclave.leave(wanted text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = ''
    SET client_min_messages = warning
AS $body$
BEGIN
    DELETE FROM enclave.placed WHERE schema_name = wanted AND state <> 'open';
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM enclave.placed WHERE schema_name = wanted) THEN
            RAISE EXCEPTION 'the organisation lives here' USING ERRCODE = 'EN023';
        END IF;
        RETURN false;
    END IF;
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', wanted);
    DELETE FROM enclave.wake WHERE organisation = wanted;
    UPDATE enclave.issued SET state = 'dropped' WHERE schema_name = wanted;
    -- Another database of this server may be where the organisation lives now.
    IF NOT EXISTS (
        SELECT FROM pg_catalog.pg_shdepend AS used
        JOIN pg_catalog.pg_roles AS role ON role.oid = used.refobjid AND role.rolname = wanted
        JOIN pg_catalog.pg_database AS elsewhere ON elsewhere.oid = used.dbid
        WHERE used.refclassid = 'pg_catalog.pg_authid'::regclass AND elsewhere.datname <> current_database()
    ) THEN
        EXECUTE format('DROP ROLE IF EXISTS %I', wanted);
    END IF;
    RETURN true;
END
$body$;

-- Backfills: how busy the server is, and which of the schemas named have had a migration or a backfill.

-- Who waits for locks and how long, connections, and how far the slowest of those is behind who copy the log.
CREATE OR REPLACE FUNCTION enclave.strain() RETURNS TABLE (
        waiting bigint, longest_wait_ms bigint, connections bigint, most_connections bigint, unsent_bytes bigint
    )
    LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog
AS $body$
    SELECT
        (SELECT count(*) FROM pg_locks WHERE NOT granted),
        (SELECT COALESCE(max(extract(epoch FROM clock_timestamp() - waitstart) * 1000), 0)::bigint
            FROM pg_locks WHERE NOT granted),
        (SELECT COALESCE(sum(numbackends), 0)::bigint FROM pg_stat_database),
        current_setting('max_connections')::bigint,
        (SELECT COALESCE(max(pg_wal_lsn_diff(
                pg_current_wal_lsn(), COALESCE(confirmed_flush_lsn, restart_lsn))), 0)::bigint
            FROM pg_replication_slots WHERE active)
$body$;

-- The schemas that have had a migration. The application may ask: it names no tenant's data.
CREATE OR REPLACE FUNCTION enclave.with_migration(schemas text[], app text, name text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
AS $body$
DECLARE
    one text;
    found boolean;
BEGIN
    FOREACH one IN ARRAY schemas LOOP
        CONTINUE WHEN one !~ '^t_[a-z0-9]{20}$' OR to_regclass(one || '.django_migrations') IS NULL;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.django_migrations WHERE app = $1 AND name = $2)', one)
            INTO found USING app, name;
        IF found THEN
            RETURN NEXT one;
        END IF;
    END LOOP;
END
$body$;

-- The schemas in which a backfill is done.
CREATE OR REPLACE FUNCTION enclave.with_backfill(schemas text[], name text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog
AS $body$
DECLARE
    one text;
    found boolean;
BEGIN
    FOREACH one IN ARRAY schemas LOOP
        CONTINUE WHEN one !~ '^t_[a-z0-9]{20}$' OR to_regclass(one || '.jobs_backfilled') IS NULL;
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.jobs_backfilled WHERE name = $1)', one)
            INTO found USING name;
        IF found THEN
            RETURN NEXT one;
        END IF;
    END LOOP;
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

-- Waits until nobody is inside a schema, and lets nobody in until the transaction ends: whoever comes waits
-- at the door (enclave.admit) and finds what has taken its place.
CREATE OR REPLACE FUNCTION enclave.fence(wanted text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $body$
DECLARE
    found text;
BEGIN
    PERFORM pg_advisory_xact_lock(1162756940, hashtext(wanted));
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
    -- Functions have the schema's name in their own, in their paths (SET search_path FROM CURRENT keeps them as
    -- words) and where they call each other. They stay the same functions, which triggers know by number.
    FOR routine IN
        SELECT proc.oid, proc.oid::regprocedure AS id, replace(proname, old, new) AS name FROM pg_proc AS proc
        WHERE proc.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = new) AND prokind IN ('f', 'p')
    LOOP
        IF strpos(routine.id::text, old) > 0 THEN
            EXECUTE format('ALTER ROUTINE %s RENAME TO %I', routine.id, routine.name);
        END IF;
        EXECUTE replace(pg_get_functiondef(routine.oid), old, new);
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
    -- Whoever believes the epoch before is let in no more, and looks again: what a process knew of the
    -- schema, such as the migrations that it has had, it knew at that epoch.
    UPDATE enclave.placed SET epoch = epoch + 1, since = now() WHERE schema_name = live;
    EXECUTE format('REVOKE %I FROM enclave_app', other);
    EXECUTE format('GRANT %I TO enclave_app WITH INHERIT FALSE, SET TRUE, ADMIN FALSE', live);
    EXECUTE format('GRANT %I TO enclave_owner WITH INHERIT FALSE, SET TRUE', live);
    -- What was due then is not due now: jobs that were waiting are held.
    DELETE FROM enclave.wake WHERE organisation IN (live, other);
    RETURN true;
END
$body$;

-- Closes the schema of an organisation whose data is to be erased: nobody is inside it then, nobody is let in
-- again, and it may be dropped. Says whether it is closed; may be repeated.
CREATE OR REPLACE FUNCTION enclave.close_for_good(wanted text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $body$
BEGIN
    PERFORM enclave.fence(wanted);
    UPDATE enclave.issued SET state = 'kept' WHERE schema_name = wanted AND state = 'live';
    IF NOT FOUND THEN
        RETURN EXISTS (SELECT FROM enclave.issued WHERE schema_name = wanted AND state IN ('kept', 'dropped'));
    END IF;
    DELETE FROM enclave.placed WHERE schema_name = wanted;
    DELETE FROM enclave.wake WHERE organisation = wanted;
    EXECUTE format('REVOKE %I FROM enclave_app', wanted);
    RETURN true;
END
$body$;

-- Lets an organisation live in a schema that was loaded for it; may be repeated.
CREATE OR REPLACE FUNCTION enclave.adopt(wanted text, at_epoch integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog
AS $body$
BEGIN
    UPDATE enclave.issued SET state = 'live', claimed_at = now()
    WHERE schema_name = wanted AND state IN ('loading', 'live');
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this schema is not one that was loaded';
    END IF;
    INSERT INTO enclave.placed (schema_name, epoch, state) VALUES (wanted, at_epoch, 'open')
    ON CONFLICT (schema_name) DO UPDATE SET epoch = excluded.epoch, state = 'open', since = now();
    EXECUTE format('GRANT %I TO enclave_app WITH INHERIT FALSE, SET TRUE, ADMIN FALSE', wanted);
    EXECUTE format('GRANT %I TO enclave_owner WITH INHERIT FALSE, SET TRUE', wanted);
END
$body$;

-- Joining organisations: which row that comes is which row here (keys), what is called otherwise here (names), and
-- how far each table is (done). `staged` is the schema that the rows come from, beside the one they come to. Only
-- the owner reads and writes them.
CREATE TABLE IF NOT EXISTS enclave.joined_key (
    staged text NOT NULL,
    type_id integer NOT NULL,
    old text NOT NULL,
    new text NOT NULL,
    was_here boolean NOT NULL,
    PRIMARY KEY (staged, type_id, old)
);
CREATE TABLE IF NOT EXISTS enclave.joined_name (
    staged text NOT NULL,
    type_id integer NOT NULL,
    old text NOT NULL,
    part text NOT NULL,
    said text NOT NULL,
    PRIMARY KEY (staged, type_id, old, part)
);
-- Of an organisation that is split: who and what goes ('goes'), who and what is in both afterwards ('both'), and who
-- comes by name only, because something that goes names them ('named').
CREATE TABLE IF NOT EXISTS enclave.joined_pick (
    staged text NOT NULL,
    type_id integer NOT NULL,
    key text NOT NULL,
    how text NOT NULL CHECK (how IN ('goes', 'both', 'named')),
    PRIMARY KEY (staged, type_id, key)
);
-- What was found before two are joined, with the names of people and things: they are nobody's in the control plane.
CREATE TABLE IF NOT EXISTS enclave.joined_found (
    work uuid NOT NULL,
    place integer NOT NULL,
    kind text NOT NULL,
    noun text NOT NULL,
    name text NOT NULL,
    becomes text NOT NULL,
    rows bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (work, place)
);
CREATE TABLE IF NOT EXISTS enclave.joined_done (
    staged text NOT NULL,
    step text NOT NULL,
    after text NOT NULL DEFAULT '',
    rows bigint NOT NULL DEFAULT 0,
    is_done boolean NOT NULL DEFAULT false,
    PRIMARY KEY (staged, step)
);

-- The key of a row here: another one's if they are the same, its own otherwise. (These three have no path of
-- their own, so that they become part of the query: it asks them for each row.)
CREATE OR REPLACE FUNCTION enclave.joined(wanted text, kind integer, key text) RETURNS text
    LANGUAGE sql STABLE
AS $body$
    SELECT coalesce((SELECT k.new FROM enclave.joined_key k WHERE k.staged = wanted AND k.type_id = kind AND k.old = key), key)
$body$;

-- The number of a row here; NULL for one that did not come.
CREATE OR REPLACE FUNCTION enclave.joined_number(wanted text, kind integer, key text) RETURNS bigint
    LANGUAGE sql STABLE
AS $body$
    SELECT k.new::bigint FROM enclave.joined_key k WHERE k.staged = wanted AND k.type_id = kind AND k.old = key
$body$;

-- What a row is called here.
CREATE OR REPLACE FUNCTION enclave.joined_name(wanted text, kind integer, key text, col text, kept text) RETURNS text
    LANGUAGE sql STABLE
AS $body$
    SELECT coalesce((
        SELECT n.said FROM enclave.joined_name n
        WHERE n.staged = wanted AND n.type_id = kind AND n.old = key AND n.part = col
    ), kept)
$body$;

-- A document in which ids of those who became others are replaced, wherever one is a whole text.
CREATE OR REPLACE FUNCTION enclave.joined_within(wanted text, kind integer, document jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog
AS $body$
DECLARE
    written text := document::text;
    one record;
BEGIN
    FOR one IN SELECT k.old, k.new FROM enclave.joined_key k WHERE k.staged = wanted AND k.type_id = kind AND k.was_here
    LOOP
        written := replace(written, to_json(one.old)::text, to_json(one.new)::text);
    END LOOP;
    RETURN written::jsonb;
END
$body$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA enclave FROM PUBLIC;
GRANT USAGE ON SCHEMA enclave TO enclave_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA enclave TO enclave_app;
REVOKE EXECUTE ON FUNCTION enclave.version_of(text, text[]), enclave.mark_of(text),
    enclave.begin_script(text, text, text[], text, text, integer, text[], text[]),
    enclave.digest_of(text, oid, text), enclave.digests_of(text, text[]), enclave.rows_of(text), enclave.expect_digests(text, text[], text[]), enclave.bare(text) FROM enclave_app;
REVOKE EXECUTE ON FUNCTION enclave.receive(text, integer, text), enclave.trail_triggers(text, text),
    enclave.leave(text) FROM enclave_app;
REVOKE EXECUTE ON FUNCTION enclave.begin_loading(text), enclave.drop_kept(text), enclave.fence(text),
    enclave.rename_schema(text, text), enclave.swap(text, text, integer),
    enclave.close_for_good(text), enclave.adopt(text, integer) FROM enclave_app;
REVOKE EXECUTE ON FUNCTION enclave.joined(text, integer, text), enclave.joined_number(text, integer, text),
    enclave.joined_name(text, integer, text, text, text), enclave.joined_within(text, integer, jsonb) FROM enclave_app;
