-- The functions of the trail. Run by audit.install with the path set to one tenant's schema followed by
-- pg_temp: without that, a temporary table called audit_event would be found first and swallow the trail.
-- No schema is named here; SET search_path FROM CURRENT pins each function to where it was made, and the name of
-- each is written with the schema's where it says @ (tenants.functions).
-- (The helpers have no path of their own: they run inside a pinned function, and setting it costs.)
-- Statements are separated by lines of dashes.

-- Who acts and when, said once for each event. The label of a person stays out: it is personal, and is
-- looked up when it is shown.
CREATE OR REPLACE FUNCTION audit_context@(
    strict boolean, OUT head text, OUT actor uuid, OUT now_us bigint, OUT epoch integer
) LANGUAGE plpgsql
AS $body$
DECLARE
    raw text := nullif(current_setting('app.actor', true), '');
    who jsonb;
BEGIN
    IF raw IS NOT NULL THEN
        who := raw::jsonb;
    ELSIF session_user = current_user AND current_setting('role') = 'none' THEN
        who := '{"kind": "system", "label": "Migration"}';
    ELSIF strict THEN
        RAISE EXCEPTION 'the trail knows no actor for this change' USING ERRCODE = 'insufficient_privilege';
    ELSE
        who := '{"kind": "unknown"}';
    END IF;
    IF coalesce(who->>'kind', '') NOT IN ('person', 'system', 'operator', 'anonymous', 'unknown') THEN
        RAISE EXCEPTION 'the trail does not know this kind of actor' USING ERRCODE = 'insufficient_privilege';
    END IF;
    actor := coalesce(nullif(who->>'id', '')::uuid, nullif(who->>'on_behalf_of', '')::uuid);
    head := '{"v":1,"by":' || jsonb_strip_nulls(jsonb_build_object(
        'kind', who->>'kind',
        'label', CASE WHEN who->>'kind' <> 'person' THEN nullif(who->>'label', '') END,
        'credential', nullif(who->>'credential', ''),
        'on_behalf_of', nullif(who->>'on_behalf_of', '')
    ))::text
        || coalesce(',"request":' || to_json(nullif(current_setting('app.request_id', true), ''))::text, '')
        || coalesce(',"source":' || to_json(nullif(current_setting('app.source', true), ''))::text, '');
    now_us := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
    SELECT max(audit_epoch.epoch) INTO STRICT epoch FROM audit_epoch;
END
$body$
--------
-- Keys that are whole numbers are written as a UUID, so that one narrow column holds every key.
CREATE OR REPLACE FUNCTION audit_key@(raw text) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $body$
    SELECT CASE WHEN length(raw) < 20 THEN lpad(to_hex(raw::bigint), 32, '0')::uuid ELSE raw::uuid END
$body$
--------
-- Appends one event and its private part. Called by the functions below only.
CREATE OR REPLACE FUNCTION audit_append@(
    context record, code text, type_id integer, object_id uuid, body text, subject uuid, private_value text
) RETURNS void LANGUAGE plpgsql
AS $body$
DECLARE
    ref uuid;
    salt bytea;
BEGIN
    IF private_value IS NOT NULL THEN
        ref := uuidv7();
        salt := uuid_send(gen_random_uuid());
        INSERT INTO audit_private (ref, subject, salt, value) VALUES (ref, subject, salt, private_value);
    END IF;
    INSERT INTO audit_event
        (epoch, at_us, code, type_id, object_id, actor_id, payload, private_ref, private_commitment)
    VALUES (
        context.epoch, context.now_us, code, type_id, object_id, context.actor, context.head || body || '}', ref,
        sha256(salt || convert_to(private_value, 'UTF8'))
    );
END
$body$
--------
-- Only the named keys of an object; NULL where it has none of them, or is NULL itself.
CREATE OR REPLACE FUNCTION audit_only@(whole jsonb, names text[]) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
AS $body$
DECLARE
    name text;
    found jsonb;
BEGIN
    FOREACH name IN ARRAY names LOOP
        IF whole ? name THEN
            found := coalesce(found, '{}') || jsonb_build_object(name, whole->name);
        END IF;
    END LOOP;
    RETURN found;
END
$body$
--------
-- Captures one changed row of an ordinary table. Arguments: label, content type, key column, subject column,
-- then columns: excluded, masked, personal; what to say of the hidden ones of a whole row; strict. Columns
-- without a mark are not listed: a table that gets one more keeps its trigger.
CREATE OR REPLACE FUNCTION audit_row@() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $body$
DECLARE
    excluded text[] := TG_ARGV[4];
    masked text[] := TG_ARGV[5];
    personal text[] := TG_ARGV[6];
    names text := TG_ARGV[7];
    older jsonb;
    newer jsonb;
    whole jsonb;
    private_old jsonb;
    private_new jsonb;
    verb text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        whole := to_jsonb(NEW);
        newer := whole - excluded;
        verb := 'added';
    ELSIF TG_OP = 'DELETE' THEN
        whole := to_jsonb(OLD);
        older := whole - excluded;
        verb := 'removed';
    ELSE
        whole := to_jsonb(NEW);
        SELECT jsonb_object_agg(key, o.value), jsonb_object_agg(key, n.value) INTO older, newer
        FROM jsonb_each(to_jsonb(OLD) - excluded) AS o JOIN jsonb_each(whole - excluded) AS n USING (key)
        WHERE o.value IS DISTINCT FROM n.value;
        IF newer IS NULL THEN
            RETURN NULL;
        END IF;
        verb := 'changed';
        IF names <> '' THEN
            SELECT coalesce(',"personal":' || jsonb_agg(key) FILTER (WHERE key = ANY (personal))::text, '')
                || coalesce(',"masked":' || jsonb_agg(key) FILTER (WHERE key = ANY (masked))::text, '')
            INTO names FROM jsonb_object_keys(newer) AS key;
        END IF;
    END IF;
    IF personal <> '{}' THEN
        private_old := audit_only@(older, personal);
        private_new := audit_only@(newer, personal);
    END IF;
    PERFORM audit_append@(
        audit_context@(TG_ARGV[8]::boolean), TG_ARGV[0] || '.' || verb, TG_ARGV[1]::integer,
        audit_key@(whole->>TG_ARGV[2]),
        coalesce(',"before":' || (older - masked - personal)::text, '')
            || coalesce(',"after":' || (newer - masked - personal)::text, '') || names,
        (whole->>nullif(TG_ARGV[3], ''))::uuid,
        CASE WHEN private_old IS NOT NULL OR private_new IS NOT NULL THEN '{'
            || concat_ws(',', '"before":' || private_old::text, '"after":' || private_new::text) || '}' END
    );
    RETURN NULL;
END
$body$
--------
CREATE OR REPLACE FUNCTION audit_refuse_truncate@() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $body$
BEGIN
    RAISE EXCEPTION 'TRUNCATE of % would leave no trail; use DELETE', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$body$
--------
CREATE OR REPLACE FUNCTION audit_refuse_new_key@() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $body$
BEGIN
    RAISE EXCEPTION 'the key of a row of % never changes', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$body$
--------
-- Appends an event of intent. Its codes have two parts, so nobody can write what a trigger would.
CREATE OR REPLACE FUNCTION audit_record@(
    code text, type_id integer, object_id uuid, details jsonb, personal jsonb, subject uuid
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $body$
DECLARE
    hidden boolean := coalesce(personal, '{}') <> '{}';
BEGIN
    IF code !~ '^[a-z][a-z_]*\.[a-z][a-z_]*$' THEN
        RAISE EXCEPTION 'not a code of intent' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM audit_append@(
        audit_context@(true), code, type_id, object_id,
        CASE WHEN coalesce(details, '{}') <> '{}' THEN ',"details":' || details::text ELSE '' END
            || CASE WHEN hidden THEN ',"personal":' || (SELECT jsonb_agg(key)::text FROM jsonb_object_keys(personal) AS key)
               ELSE '' END,
        subject, CASE WHEN hidden THEN '{"details":' || personal::text || '}' END
    );
END
$body$
--------
-- Deletes salt and value of everything about one subject, and says so in the same breath.
CREATE OR REPLACE FUNCTION audit_erase@(whom uuid, type_id integer, reason text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $body$
DECLARE
    erased bigint;
    elsewhere bigint;
BEGIN
    IF whom IS NULL THEN
        RAISE EXCEPTION 'nobody to erase' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- What is being copied here of another trail is there before, or is copied by somebody who sees this.
    LOCK TABLE audit_annexed_private, audit_annexed_key IN SHARE ROW EXCLUSIVE MODE;
    DELETE FROM audit_private WHERE subject = whom;
    GET DIAGNOSTICS erased = ROW_COUNT;
    -- And what trails of others say about the same one, who may have had another id there.
    DELETE FROM audit_annexed_private AS kept
    USING (SELECT NULL::uuid AS source, whom AS id UNION ALL SELECT k.source, k.old FROM audit_annexed_key AS k WHERE k.new = whom)
        AS known
    WHERE kept.subject = known.id AND (known.source IS NULL OR known.source = kept.source);
    GET DIAGNOSTICS elsewhere = ROW_COUNT;
    erased := erased + elsewhere;
    PERFORM audit_append@(
        audit_context@(true), 'trail.erased', type_id, whom,
        ',"details":' || jsonb_build_object('reason', reason, 'entries', erased)::text, NULL, NULL
    );
    RETURN erased;
END
$body$
--------
-- The leaf of one event: every column, each with its length before it; NULL is the length -1.
CREATE OR REPLACE FUNCTION audit_leaf@(event audit_event) RETURNS bytea
    LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $body$
    SELECT sha256('\x00'::bytea || string_agg(
        coalesce(int4send(octet_length(part)) || part, '\xffffffff'::bytea), ''::bytea ORDER BY place
    ))
    FROM unnest(ARRAY[
        convert_to(event.epoch::text, 'UTF8'), convert_to(event.txid::text, 'UTF8'),
        convert_to(event.eid::text, 'UTF8'), convert_to(event.at_us::text, 'UTF8'),
        convert_to(event.code, 'UTF8'), convert_to(event.type_id::text, 'UTF8'),
        convert_to(event.object_id::text, 'UTF8'), convert_to(event.actor_id::text, 'UTF8'),
        convert_to(event.payload, 'UTF8'), convert_to(event.private_ref::text, 'UTF8'), event.private_commitment
    ]) WITH ORDINALITY AS parts (part, place)
$body$
--------
-- A digest of every trigger of the trail with its state and function, and of who may do what with its
-- tables: whoever switches capture off changes it. The schema's own name is written as @.
CREATE OR REPLACE FUNCTION audit_trigger_digest@() RETURNS bytea
    LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $body$
    SELECT sha256(convert_to(replace(coalesce(string_agg(line, E'\n' ORDER BY line COLLATE "C"), ''),
        current_schema(), '@'), 'UTF8'))
    FROM (
        SELECT concat_ws('|', 'trigger', class.relname, tg.tgname, tg.tgenabled, tg.tgtype, tg.tgattr,
            encode(tg.tgargs, 'hex'), proc.proname) AS line
        FROM pg_catalog.pg_trigger AS tg
        JOIN pg_catalog.pg_class AS class ON class.oid = tg.tgrelid
        JOIN pg_catalog.pg_proc AS proc ON proc.oid = tg.tgfoid
        WHERE class.relnamespace = current_schema()::regnamespace AND tg.tgname LIKE 'audit\_%'
        UNION ALL
        SELECT concat_ws('|', 'function', proname, prosecdef, array_to_string(proconfig, ','), prosrc)
        FROM pg_catalog.pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'audit\_%'
        UNION ALL
        SELECT concat_ws('|', 'table', relname, array_to_string(relacl, ','))
        FROM pg_catalog.pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname LIKE 'audit\_%'
    ) AS lines
$body$
