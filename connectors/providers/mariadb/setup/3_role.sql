-- OPTIONAL. Lets the connector put people into one role. Run it as an admin who may give that role to others:
--
--   mariadb -u root --init-command="SET @role = 'auditors'" < 3_role.sql
--
-- Whoever has the connector's password can then use the role. It may be run again.
SET NAMES utf8mb4;
SET @statement = CONCAT('GRANT `', REPLACE(@role, '`', '``'), '` TO latchkey@''%'' WITH ADMIN OPTION');
PREPARE given FROM @statement;
EXECUTE given;
DEALLOCATE PREPARE given;
