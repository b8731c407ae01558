-- register (origin, record_key: the identity key of each row of the commerce department, see ingest/identity.py) → its permanent id, in id order.
-- The id derives from the first identifying key, so that a rebuilt warehouse gives the same ids.
SELECT origin, 'E' || upper(substr(md5(record_key), 1, 15)) AS enterprise_id
FROM register
ORDER BY enterprise_id, origin
