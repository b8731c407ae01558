-- records (one row per record key and linked enterprise, one field) → claims: what each record says of each enterprise.
-- A record that several enterprises share is split by share_ppb, by largest remainder, ties to the smaller sharer
-- number, so that the parts sum to the record. Sharers that are not linked (enterprise_no NULL) keep their part.
-- Shares that sum to 1 within a millionth (thirds as written) are parts of their sum, and so are shares above 1, which
-- would count the record more than once; below that the rest is nobody's.
--
-- Exact for every Int64 value, and for shares that sum to less than 2^63. The two engines have no integer division in
-- common: a quotient is guessed as a DOUBLE and put right by its exact rest (whole_part), which is small enough for a
-- DOUBLE to divide without error.
WITH totalled AS (
    SELECT
        *,
        CASE WHEN value < 0 THEN -CAST(value AS DECIMAL(19, 0)) ELSE CAST(value AS DECIMAL(19, 0)) END AS size,
        CAST(SUM(share_ppb) OVER (PARTITION BY source, record_key) AS BIGINT) AS shares
    FROM records
    WHERE share_ppb IS NOT NULL
),
scaled AS (
    SELECT
        *,
        size * CAST(share_ppb AS DECIMAL(19, 0)) AS product,
        CAST(CASE WHEN shares >= 999999000 THEN shares ELSE 1000000000 END AS DECIMAL(19, 0)) AS unit
    FROM totalled
),
guessed AS (
    SELECT
        *,
        CAST(mod(product, unit) AS DECIMAL(19, 0)) AS remainder,
        CAST(round(CAST(product AS DOUBLE) / CAST(unit AS DOUBLE)) AS DECIMAL(19, 0)) AS guess
    FROM scaled
),
floors AS (
    SELECT
        *,
        guess + CAST(round(CAST(product - remainder - guess * unit AS DOUBLE) / CAST(unit AS DOUBLE)) AS DECIMAL(19, 0))
            AS whole_part
    FROM guessed
),
ordered AS (
    SELECT
        *,
        size - SUM(whole_part) OVER (PARTITION BY source, record_key) AS missing,
        ROW_NUMBER() OVER (PARTITION BY source, record_key ORDER BY remainder DESC, sharer_no) AS place
    FROM floors
),
parts AS (
    SELECT *, whole_part + CASE WHEN shares >= 999999000 AND place <= missing THEN 1 ELSE 0 END AS part
    FROM ordered
)
SELECT enterprise_no, source, record_key, value, method, origin, rows
FROM records
WHERE share_ppb IS NULL
UNION ALL
SELECT
    enterprise_no, source, record_key, CAST(CASE WHEN value < 0 THEN -part ELSE part END AS BIGINT) AS value,
    method, origin, rows
FROM parts
WHERE enterprise_no IS NOT NULL
