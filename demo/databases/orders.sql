-- Made-up orders. Run by psql in the database orders.
\set ON_ERROR_STOP on
BEGIN;
SELECT setseed(0.42);
CREATE TABLE customers (
    number      integer PRIMARY KEY,
    company     text NOT NULL,
    city        text NOT NULL,
    since       date NOT NULL
);
INSERT INTO customers
SELECT n,
       (ARRAY['Northern', 'Harbour', 'Blue', 'Old Mill', 'Silver', 'Stone', 'Green', 'Union'])[1 + n % 8] || ' '
           || (ARRAY['Bakery', 'Books', 'Cycles', 'Dairy', 'Flowers', 'Garage', 'Hotel', 'Instruments', 'Joinery'])[1 + n % 9],
       (ARRAY['Bergen', 'Cork', 'Ghent', 'Kraków', 'Lyon', 'Porto', 'Turku', 'Vienna'])[1 + floor(random() * 8)::int],
       current_date - 60 - floor(random() * 2000)::int
FROM generate_series(1, 400) AS n;
CREATE TABLE orders (
    number      integer PRIMARY KEY,
    customer    integer NOT NULL REFERENCES customers,
    state       text NOT NULL CHECK (state IN ('paid', 'packed', 'shipped', 'delivered', 'returned', 'stuck')),
    total       numeric(10, 2) NOT NULL,
    placed_at   timestamptz NOT NULL
);
-- A few are stuck: what the engineer on call is looking for.
INSERT INTO orders
SELECT n,
       1 + floor(random() * 400)::int,
       CASE WHEN n > 5970 AND n % 7 = 0 THEN 'stuck'
            ELSE (ARRAY['paid', 'packed', 'shipped', 'delivered', 'delivered', 'delivered', 'returned'])[1 + floor(random() * 7)::int]
       END,
       round((8 + random() * 240)::numeric, 2),
       now() - (6000 - n) * interval '9 minutes' - random() * interval '8 minutes'
FROM generate_series(1, 6000) AS n;
CREATE INDEX orders_state ON orders (state);
CREATE TABLE items (
    order_number integer NOT NULL REFERENCES orders,
    position     integer NOT NULL,
    article      text NOT NULL,
    amount       integer NOT NULL,
    PRIMARY KEY (order_number, position)
);
INSERT INTO items
SELECT o.number, p,
       (ARRAY['Filter paper', 'Espresso beans', 'Green tea', 'Grinder', 'Kettle', 'Cup', 'Scale', 'Thermos'])[1 + floor(random() * 8)::int],
       1 + floor(random() * 4)::int
FROM orders AS o, generate_series(1, 1 + o.number % 3) AS p;
COMMIT;
