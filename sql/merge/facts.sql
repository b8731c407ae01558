-- claims of one field + trust (source, place) → facts: the value of the most trusted source, and whether others agree.
-- Several records of one source are parts of one figure (meters, tax kinds): they are summed before sources compare.
WITH by_source AS (
    SELECT claims.enterprise_no, claims.source, trust.place, CAST(SUM(claims.value) AS BIGINT) AS value, COUNT(*) AS claims
    FROM claims
    JOIN trust ON trust.source = claims.source
    GROUP BY claims.enterprise_no, claims.source, trust.place
)
SELECT
    enterprise_no,
    min_by(value, place) AS value,
    min_by(source, place) AS source,
    CASE WHEN COUNT(*) = 1 THEN 'only_claim' WHEN MAX(value) = MIN(value) THEN 'agreed' ELSE 'disputed' END AS how,
    MAX(value) - MIN(value) AS spread,
    CAST(SUM(claims) AS INTEGER) AS claims
FROM by_source
GROUP BY enterprise_no
