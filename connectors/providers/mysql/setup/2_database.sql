-- Lets the connector give access to one database. Run it once in every database that people may ask for, as an admin:
--
--   mysql -u root shop < 2_database.sql
--   mysql -u root --init-command="SET @level = 'READ_ONLY'" shop < 2_database.sql
--
-- The level is the most that people can be given here: READ_ONLY, READ_WRITE (if none is named) or ADMIN. On these
-- servers one can only pass on what one has: whoever has the connector's password can do the same in this database, and
-- no more. It may be run again, with another level too: then the connector has just that one.
SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION';
SET NAMES utf8mb4;
SET @level = COALESCE(@level, 'READ_WRITE');
SET @privileges = CASE CONVERT(@level USING utf8mb4)
    WHEN 'READ_ONLY' THEN 'SELECT'
    WHEN 'READ_WRITE' THEN 'SELECT, INSERT, UPDATE, DELETE'
    WHEN 'ADMIN' THEN 'SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP, REFERENCES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, SHOW VIEW'
END;
-- In a grant, _ and % stand for any characters unless they are escaped.
SET @here = CONCAT('`', REPLACE(REPLACE(REPLACE(REPLACE(DATABASE(), '\\', '\\\\'), '_', '\\_'), '%', '\\%'), '`', '``'), '`.*');

-- What an earlier run gave goes first; there has to be something that can go.
SET @statement = CONCAT('GRANT USAGE ON ', @here, ' TO latchkey@''%'' WITH GRANT OPTION');
PREPARE given FROM @statement;
EXECUTE given;
SET @statement = CONCAT('REVOKE ALL PRIVILEGES ON ', @here, ' FROM latchkey@''%''');
PREPARE taken FROM @statement;
EXECUTE taken;
SET @statement = CONCAT('GRANT ', @privileges, ' ON ', @here, ' TO latchkey@''%'' WITH GRANT OPTION');
PREPARE given FROM @statement;
EXECUTE given;
DEALLOCATE PREPARE given;
DEALLOCATE PREPARE taken;
