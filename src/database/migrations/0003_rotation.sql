-- Keys with which something may be sealed besides the secrets' own: while a rotation away from them goes on.
CREATE TABLE old_keys (
    key_id TEXT PRIMARY KEY
) {by key};
