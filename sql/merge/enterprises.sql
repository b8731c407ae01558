-- register (one row per enterprise of the commerce department) → enterprises with their permanent id.
-- The id derives from the first identifying key, so that a rebuilt warehouse gives the same ids.
SELECT 'E' || upper(substr(md5(record_key), 1, 15)) AS enterprise_id, register.*
FROM register
ORDER BY enterprise_id
