-- $1: the tables, $2: the schema in which they are, $3: the schema of their copies. One row for each thing that a copy lacks.
WITH tables AS (
    SELECT name, to_regclass($2 || '.' || name) AS old, to_regclass($3 || '.' || name) AS new FROM unnest($1) name
), relations AS (
    SELECT name, CAST(old AS OID) AS old, CAST(new AS OID) AS new FROM tables
    UNION ALL
    SELECT name, i.oid, copy.oid FROM tables JOIN pg_index ON indrelid = old JOIN pg_class i ON i.oid = indexrelid
    LEFT JOIN pg_class copy ON copy.relname = i.relname AND copy.relnamespace = to_regnamespace($3)
    UNION ALL
    SELECT name, o.reltoastrelid, n.reltoastrelid FROM tables JOIN pg_class o ON o.oid = old JOIN pg_class n ON n.oid = new
    WHERE o.reltoastrelid <> 0
), dependents AS (
    SELECT name, classid, objid FROM tables JOIN pg_depend ON refclassid = CAST('pg_class' AS REGCLASS) AND refobjid = old
    UNION ALL
    SELECT name, classid, objid FROM tables JOIN pg_class ON oid = old JOIN pg_type row ON row.oid = reltype
    JOIN pg_depend ON refclassid = CAST('pg_type' AS REGCLASS) AND refobjid IN (row.oid, row.typarray)
)
SELECT name || ' has an owner, privileges or settings of its own' FROM relations
LEFT JOIN pg_class o ON o.oid = old LEFT JOIN pg_class n ON n.oid = new
WHERE (o.relowner, o.reloptions, o.reltablespace, o.relreplident, o.relam, o.relpersistence, o.relrowsecurity, o.relforcerowsecurity,
       o.relispartition, o.reloftype, CAST(COALESCE(o.relacl, acldefault('r', o.relowner)) AS TEXT))
      IS DISTINCT FROM
      (n.relowner, n.reloptions, n.reltablespace, n.relreplident, n.relam, n.relpersistence, n.relrowsecurity, n.relforcerowsecurity,
       n.relispartition, n.reloftype, CAST(COALESCE(n.relacl, acldefault('r', n.relowner)) AS TEXT))
UNION ALL
SELECT name || ' has a column with settings of its own' FROM relations JOIN pg_attribute o ON o.attrelid = old AND o.attnum > 0
LEFT JOIN pg_attribute n ON n.attrelid = new AND n.attname = o.attname
WHERE to_jsonb(o) - 'attrelid' - 'attcacheoff' IS DISTINCT FROM to_jsonb(n) - 'attrelid' - 'attcacheoff'
UNION ALL
SELECT name || ' has a column with a default or a sequence' FROM tables JOIN pg_attribute ON attrelid = old
WHERE attidentity <> '' OR atthasdef
UNION ALL
SELECT name || ' has an index with settings of its own' FROM relations JOIN pg_index o ON o.indexrelid = old
LEFT JOIN pg_index n ON n.indexrelid = new
WHERE to_jsonb(o) - CAST('{indexrelid,indrelid,indcheckxmin,indexprs,indpred}' AS TEXT[])
      IS DISTINCT FROM to_jsonb(n) - CAST('{indexrelid,indrelid,indcheckxmin,indexprs,indpred}' AS TEXT[])
      OR replace(pg_get_indexdef(o.indexrelid), ' ON ' || $2 || '.', '') <> replace(pg_get_indexdef(n.indexrelid), ' ON ' || $3 || '.', '')
UNION ALL
SELECT name || ' has a constraint with settings of its own' FROM tables JOIN pg_constraint o ON o.conrelid = old
LEFT JOIN pg_constraint n ON n.conrelid = new AND n.conname = o.conname
WHERE to_jsonb(o) - CAST('{oid,connamespace,conrelid,conindid,confrelid,conbin}' AS TEXT[])
      IS DISTINCT FROM to_jsonb(n) - CAST('{oid,connamespace,conrelid,conindid,confrelid,conbin}' AS TEXT[])
UNION ALL
SELECT name || ' has another table that refers to it, or to which it refers' FROM tables JOIN pg_constraint ON old IN (conrelid, confrelid)
WHERE contype = 'f' AND NOT (conrelid IN (SELECT old FROM tables) AND confrelid IN (SELECT old FROM tables))
UNION ALL
SELECT name || ' has a trigger' FROM tables JOIN pg_trigger ON tgrelid = old WHERE NOT tgisinternal OR tgenabled <> 'O'
UNION ALL
SELECT name || ' has a publication' FROM tables JOIN pg_class ON oid = old
JOIN pg_publication_tables ON tablename = relname AND quote_ident(schemaname) = $2
UNION ALL
SELECT name || ' has a subscription' FROM tables JOIN pg_subscription_rel ON srrelid = old
UNION ALL
SELECT name || ' has a table that inherits from it, or from which it inherits' FROM tables JOIN pg_inherits ON old IN (inhrelid, inhparent)
UNION ALL
SELECT name || ' has a comment or a label' FROM relations
WHERE EXISTS (SELECT FROM pg_description WHERE objoid = old) OR EXISTS (SELECT FROM pg_seclabel WHERE objoid = old)
   OR EXISTS (SELECT FROM pg_description JOIN pg_constraint ON pg_constraint.oid = objoid WHERE conrelid = old)
UNION ALL
SELECT name || ' has a view, a function or statistics that depend on it' FROM dependents
LEFT JOIN pg_class ON classid = CAST('pg_class' AS REGCLASS) AND pg_class.oid = objid
WHERE classid NOT IN (CAST('pg_constraint' AS REGCLASS), CAST('pg_trigger' AS REGCLASS), CAST('pg_type' AS REGCLASS))
      AND COALESCE(relkind, 'r') NOT IN ('i', 't')
