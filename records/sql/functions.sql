-- Counts, references and unique values of records, kept by statement triggers (records.install). The name of each
-- function is written with the schema's where it says @ (tenants.functions). Statements are separated by lines of
-- dashes.

CREATE OR REPLACE FUNCTION records_digest@(kept jsonb) RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
AS $body$
    SELECT encode(substring(sha256(convert_to(lower(kept #>> '{}'), 'UTF8')) FOR 16), 'hex')::uuid
$body$
--------
-- Append to the count. When a collection has 64 rows of it they are folded into one; rows that another
-- transaction is folding are left to it.
CREATE OR REPLACE FUNCTION records_count@(collection uuid, more_live bigint, more_binned bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
AS $body$
BEGIN
    INSERT INTO records_tally (collection_id, live, binned) VALUES (collection, more_live, more_binned);
    IF (SELECT count(*) FROM records_tally t WHERE t.collection_id = collection) >= 64 THEN
        WITH gone AS (
            DELETE FROM records_tally
            WHERE id IN (
                SELECT t.id FROM records_tally t WHERE t.collection_id = collection FOR UPDATE SKIP LOCKED
            )
            RETURNING live, binned
        )
        INSERT INTO records_tally (collection_id, live, binned)
        SELECT collection, sum(live), sum(binned) FROM gone;
    END IF;
END
$body$
--------
CREATE OR REPLACE FUNCTION records_record_added@() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
AS $body$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT n.collection_id, count(*) FILTER (WHERE n.deleted_at IS NULL) AS live,
               count(*) FILTER (WHERE n.deleted_at IS NOT NULL) AS binned
        FROM fresh n GROUP BY 1
    LOOP
        -- What a foreign key does for each row, once for each statement.
        PERFORM 1 FROM records_collection c WHERE c.id = one.collection_id FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE foreign_key_violation
                USING CONSTRAINT = 'record_of_a_collection', TABLE = 'records_record',
                      MESSAGE = format('there is no collection %s', one.collection_id);
        END IF;
        PERFORM records_count@(one.collection_id, one.live, one.binned);
        INSERT INTO records_uniquevalue (field_id, digest, record_id)
        SELECT f.id, records_digest@(n."values" -> f.key), n.id
        FROM records_field f
        JOIN fresh n ON n.collection_id = f.collection_id AND n.deleted_at IS NULL AND n."values" ? f.key
        WHERE f.collection_id = one.collection_id AND f."unique" AND f.deleted_at IS NULL;
    END LOOP;
    RETURN NULL;
END
$body$
--------
CREATE OR REPLACE FUNCTION records_record_changed@() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
AS $body$
DECLARE
    one record;
BEGIN
    IF EXISTS (SELECT 1 FROM stale o JOIN fresh n ON n.id = o.id WHERE n.collection_id <> o.collection_id) THEN
        RAISE integrity_constraint_violation
            USING CONSTRAINT = 'record_stays_in_its_collection', TABLE = 'records_record',
                  MESSAGE = 'a record stays in its collection';
    END IF;
    FOR one IN
        SELECT n.collection_id,
               sum(CASE WHEN n.deleted_at IS NULL THEN 1 ELSE -1 END) AS live
        FROM stale o JOIN fresh n ON n.id = o.id
        WHERE (o.deleted_at IS NULL) <> (n.deleted_at IS NULL)
        GROUP BY 1
    LOOP
        PERFORM records_count@(one.collection_id, one.live, - one.live);
    END LOOP;
    IF EXISTS (
        SELECT 1 FROM records_field f
        WHERE f."unique" AND f.deleted_at IS NULL AND f.collection_id IN (SELECT DISTINCT collection_id FROM fresh)
    ) THEN
        DELETE FROM records_uniquevalue u
        USING records_field f, stale o, fresh n
        WHERE f."unique" AND f.collection_id = o.collection_id AND n.id = o.id
          AND o.deleted_at IS NULL AND o."values" ? f.key
          AND (n.deleted_at IS NOT NULL OR n."values" -> f.key IS DISTINCT FROM o."values" -> f.key)
          AND u.field_id = f.id AND u.digest = records_digest@(o."values" -> f.key) AND u.record_id = o.id;
        INSERT INTO records_uniquevalue (field_id, digest, record_id)
        SELECT f.id, records_digest@(n."values" -> f.key), n.id
        FROM records_field f
        JOIN fresh n ON n.collection_id = f.collection_id AND n.deleted_at IS NULL AND n."values" ? f.key
        JOIN stale o ON o.id = n.id
        WHERE f."unique" AND f.deleted_at IS NULL
          AND (o.deleted_at IS NOT NULL OR n."values" -> f.key IS DISTINCT FROM o."values" -> f.key);
    END IF;
    RETURN NULL;
END
$body$
--------
CREATE OR REPLACE FUNCTION records_record_removed@() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
AS $body$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT o.collection_id, count(*) FILTER (WHERE o.deleted_at IS NULL) AS live,
               count(*) FILTER (WHERE o.deleted_at IS NOT NULL) AS binned
        FROM stale o JOIN records_collection c ON c.id = o.collection_id
        GROUP BY 1
    LOOP
        PERFORM records_count@(one.collection_id, - one.live, - one.binned);
    END LOOP;
    DELETE FROM records_uniquevalue u
    USING records_field f, stale o
    WHERE f."unique" AND f.collection_id = o.collection_id AND o.deleted_at IS NULL AND o."values" ? f.key
      AND u.field_id = f.id AND u.digest = records_digest@(o."values" -> f.key) AND u.record_id = o.id;
    RETURN NULL;
END
$body$
--------
CREATE OR REPLACE FUNCTION records_collection_removed@() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path FROM CURRENT
AS $body$
BEGIN
    IF EXISTS (SELECT 1 FROM records_record r WHERE r.collection_id = OLD.id) THEN
        RAISE foreign_key_violation
            USING CONSTRAINT = 'record_of_a_collection', TABLE = 'records_collection',
                  MESSAGE = format('collection %s still has records', OLD.id);
    END IF;
    RETURN NULL;
END
$body$
