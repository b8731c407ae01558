-- records (one row per record key and linked enterprise, one field) → claims: what each record says of each enterprise.
-- A record that several enterprises share is split by share_ppb, by largest remainder, ties to the smaller sharer
-- number, so that the parts sum to the record. Sharers that are not linked (enterprise_no NULL) keep their part.
-- Shares that sum to 1 within a millionth (thirds as written) are parts of their sum, and so are shares above 1, which
-- would count the record more than once; below that the rest is nobody's.
WITH totalled AS (
    SELECT *, CAST(SUM(share_ppb) OVER (PARTITION BY source, record_key) AS BIGINT) AS shares
    FROM records
    WHERE share_ppb IS NOT NULL
),
scaled AS (
    SELECT
        *,
        CAST(abs(value) AS DECIMAL(38, 0)) * CAST(share_ppb AS DECIMAL(19, 0)) AS product,
        CAST(CASE WHEN shares >= 999999000 THEN shares ELSE 1000000000 END AS DECIMAL(19, 0)) AS unit
    FROM totalled
),
floors AS (
    SELECT
        *,
        CAST(round((product - mod(product, unit)) / unit) AS BIGINT) AS whole_part,
        CAST(mod(product, unit) AS BIGINT) AS remainder,
        CASE WHEN shares >= 999999000 THEN 1 ELSE 0 END AS complete
    FROM scaled
),
ordered AS (
    SELECT
        *,
        abs(value) - SUM(whole_part) OVER (PARTITION BY source, record_key) AS missing,
        ROW_NUMBER() OVER (PARTITION BY source, record_key ORDER BY remainder DESC, sharer_no) AS place
    FROM floors
)
SELECT enterprise_no, source, record_key, value, method, origin, rows
FROM records
WHERE share_ppb IS NULL
UNION ALL
SELECT
    enterprise_no, source, record_key,
    CAST(sign(value) * (whole_part + CASE WHEN complete = 1 AND place <= missing THEN 1 ELSE 0 END) AS BIGINT) AS value,
    method, origin, rows
FROM ordered
WHERE enterprise_no IS NOT NULL
