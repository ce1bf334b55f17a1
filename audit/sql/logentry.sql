-- The trail as django-auditlog's own table, read only: rows' events with their open columns. What is
-- personal stays out of it.
CREATE OR REPLACE VIEW auditlog_logentry AS
SELECT event.eid AS id,
    event.type_id AS content_type_id,
    CASE WHEN event.object_id < '00000000-0000-0001-0000-000000000000'
        THEN ('x' || right(replace(event.object_id::text, '-', ''), 16))::bit(64)::bigint::text
        ELSE event.object_id::text END AS object_pk,
    CASE WHEN event.object_id < '00000000-0000-0001-0000-000000000000'
        THEN ('x' || right(replace(event.object_id::text, '-', ''), 16))::bit(64)::bigint END AS object_id,
    event.code AS object_repr,
    NULL::jsonb AS serialized_data,
    CASE split_part(event.code, '.', 3) WHEN 'added' THEN 0 WHEN 'changed' THEN 1 ELSE 2 END::smallint AS action,
    ''::text AS changes_text,
    (
        SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(
            coalesce(read.body->'before'->>key, 'None'), coalesce(read.body->'after'->>key, 'None')
        )), '{}')
        FROM jsonb_object_keys(coalesce(read.body->'after', read.body->'before')) AS key
    ) AS changes,
    event.actor_id,
    read.body->>'request' AS cid,
    nullif(read.body->>'source', '')::inet AS remote_addr,
    NULL::integer AS remote_port,
    to_timestamp(event.at_us / 1000000.0) AS "timestamp",
    read.body->'by' AS additional_data,
    NULL::varchar AS actor_email
FROM audit_event AS event, LATERAL (SELECT event.payload::jsonb AS body) AS read
WHERE event.code LIKE '%.%.%'
