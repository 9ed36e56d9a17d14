-- What is kept of a call, by Twilio's name for it. Times are milliseconds since the Unix epoch.
CREATE TABLE calls (
    call_sid TEXT PRIMARY KEY,
    -- The earliest time that anything says.
    first_at BIGINT NOT NULL,
    -- Who it was is said by the earliest arrival that dialled; of two at one time by the one with the lesser tie.
    came_at BIGINT,
    came_tie BIGINT,
    call_ref TEXT,
    customer TEXT,
    alias TEXT,
    operator TEXT,
    rang_at BIGINT,
    answered_at BIGINT,
    ended_at BIGINT,
    outcome BIGINT NOT NULL
) {by key};

-- None by customer: only an erasure looks for one's calls, and it would be written at every call, each time in another place.
-- (Databases from before 26 November 2026 have one. It does no harm, and to drop it could keep a server from starting.)
CREATE INDEX calls_by_time ON calls (first_at);

-- What has been done, each entry bound to the one before it by a keyed hash.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash {bytes} NOT NULL
) {by key};

-- What people do is counted; what calls do, the most by far, is not.
CREATE INDEX audit_of_people ON audit (action, at) WHERE action <> 'call';

-- The last entry, bound too, so that one that is cut off at the end is missed.
CREATE TABLE audit_head (
    name TEXT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash {bytes} NOT NULL,
    bound {bytes} NOT NULL
);

-- How far each generation of each server's journal has been written into these tables.
CREATE TABLE journals (
    name TEXT PRIMARY KEY,
    written BIGINT NOT NULL
) {by key};
