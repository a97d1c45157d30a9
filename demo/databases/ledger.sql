-- A made-up ledger. Run by psql in the databases ledger and ledger_archive.
\set ON_ERROR_STOP on
BEGIN;
SELECT setseed(0.17);
CREATE TABLE accounts (
    number  integer PRIMARY KEY,
    name    text NOT NULL
);
INSERT INTO accounts VALUES
    (1200, 'Bank'), (1400, 'Customers'), (1600, 'Suppliers'), (1776, 'Sales tax'), (4400, 'Sales'), (5200, 'Goods bought'),
    (6300, 'Rent'), (6815, 'Office supplies');
CREATE TABLE postings (
    number      integer PRIMARY KEY,
    debit       integer NOT NULL REFERENCES accounts,
    credit      integer NOT NULL REFERENCES accounts,
    amount      numeric(12, 2) NOT NULL CHECK (amount > 0),
    said        text NOT NULL,
    booked_on   date NOT NULL
);
INSERT INTO postings
SELECT n,
       (ARRAY[1400, 1200, 5200, 6300, 6815])[1 + n % 5],
       (ARRAY[4400, 1400, 1600, 1200, 1200])[1 + n % 5],
       round((5 + random() * 900)::numeric, 2),
       (ARRAY['Order ', 'Payment of order ', 'Goods for order ', 'Rent, part ', 'Receipt '])[1 + n % 5] || n,
       current_date - ((5000 - n) / 40)
FROM generate_series(1, 5000) AS n;
CREATE TABLE closings (
    month      date PRIMARY KEY,
    closed_by  text,
    closed_at  timestamptz
);
INSERT INTO closings
SELECT m::date, 'finance', m + interval '1 month 2 days 16 hours'
FROM generate_series(date_trunc('month', now()) - interval '6 months', date_trunc('month', now()) - interval '2 months', interval '1 month') AS m;
COMMIT;
