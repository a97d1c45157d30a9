-- The target's own clock, in seconds since the epoch.
SELECT extract(epoch FROM clock_timestamp())::float8 AS read_at;
