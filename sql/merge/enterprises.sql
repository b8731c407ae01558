-- register (origin, record_key: one row per enterprise of the commerce department) → its permanent id, in id order.
-- The id derives from the first identifying key, so that a rebuilt warehouse gives the same ids.
SELECT origin, 'E' || upper(substr(md5(record_key), 1, 15)) AS enterprise_id
FROM register
ORDER BY enterprise_id, origin
