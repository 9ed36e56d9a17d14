-- {bytes} is BLOB or BYTEA. {by key} lets SQLite keep the rows in the order of the primary key, and PostgreSQL as it likes.

-- Keys of our own that outlive NUMBER_KEY, sealed with it.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    sealed {bytes} NOT NULL
);

CREATE TABLE customers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    operator TEXT NOT NULL,
    team TEXT,
    -- Free text may hold anything, a number too: it is sealed.
    note_key TEXT,
    note {bytes}
) {by key};

CREATE INDEX customers_of_operators ON customers (operator, id);

CREATE TABLE numbers (
    -- A keyed hash of the number, under the key that seals it.
    hash {bytes} PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers (id),
    key_id TEXT NOT NULL,
    sealed {bytes} NOT NULL
) {by key};

CREATE INDEX numbers_of_customers ON numbers (customer);
