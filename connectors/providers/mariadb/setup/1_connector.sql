-- Makes what the connector needs, once per server. Run it as an admin of the server:
--
--   mariadb -u root < 1_connector.sql
--   ALTER USER latchkey IDENTIFIED BY '…' ACCOUNT UNLOCK;      (a long random password of your choice)
--
-- It may be run again, and should be with each new version of this file; what Latchkey wrote down stays.
--
-- On MariaDB, whoever has CREATE USER can give root a new password. So the connector does not get it. It may only call
-- the procedures below, which do what they do to the logins that they made themselves and to nobody else. They work
-- with the rights of latchkey_keeper, an account nobody can sign in with.
--
-- Access ends by itself where the event scheduler runs: write event_scheduler=ON into the server's configuration.
SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION';
SET NAMES utf8mb4 COLLATE utf8mb4_bin;
CREATE DATABASE IF NOT EXISTS latchkey CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
USE latchkey;

CREATE TABLE IF NOT EXISTS logins (
    login VARCHAR(32) NOT NULL PRIMARY KEY,
    integration VARCHAR(255) NOT NULL,
    person VARCHAR(255) NOT NULL,
    grant_id VARCHAR(255) NOT NULL,
    ends_at DOUBLE NULL COMMENT 'in seconds since the epoch; NULL never comes',
    KEY whose (integration, person)
) ENGINE = InnoDB COMMENT = 'The logins that Latchkey made, and for whom: a login that is not here is never touched';

CREATE TABLE IF NOT EXISTS setup (
    one BOOLEAN NOT NULL DEFAULT TRUE PRIMARY KEY CHECK (one),
    version INT NOT NULL,
    looked_at DOUBLE NOT NULL DEFAULT 0 COMMENT 'when the event last looked, in seconds since the epoch'
) ENGINE = InnoDB;
INSERT INTO setup (version) VALUES (1) ON DUPLICATE KEY UPDATE version = 1;

CREATE USER IF NOT EXISTS latchkey_keeper@localhost ACCOUNT LOCK;
GRANT CREATE USER, CONNECTION ADMIN, PROCESS, SHOW VIEW, TRIGGER, EVENT ON *.* TO latchkey_keeper@localhost;
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON latchkey.* TO latchkey_keeper@localhost;
-- UPDATE on mysql is what SET DEFAULT ROLE asks for; no procedure writes there in any other way.
GRANT UPDATE ON mysql.* TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.global_priv TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.db TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.tables_priv TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.columns_priv TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.procs_priv TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.roles_mapping TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.proc TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.event TO latchkey_keeper@localhost;

-- What the connector may see: who there is and who may do what, but no password hashes.
CREATE OR REPLACE DEFINER = latchkey_keeper@localhost SQL SECURITY DEFINER VIEW accounts AS
SELECT User AS user, Host AS host,
       COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0) = 1 AS locked,
       COALESCE(JSON_VALUE(Priv, '$.is_role'), 0) = 1 AS is_role
FROM mysql.global_priv;

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost SQL SECURITY DEFINER VIEW memberships AS
SELECT User AS user, Host AS host, Role AS role, Admin_option = 'Y' AS with_admin
FROM mysql.roles_mapping;

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost SQL SECURITY DEFINER VIEW holdings AS
SELECT User AS user, Host AS host, 'server' AS kind, '' AS database_name, '' AS object_name, '' AS column_name,
       CONCAT_WS(',',
           IF(access & 1, 'SELECT', NULL), IF(access & 2, 'INSERT', NULL), IF(access & 4, 'UPDATE', NULL),
           IF(access & 8, 'DELETE', NULL), IF(access & 16, 'CREATE', NULL), IF(access & 32, 'DROP', NULL),
           IF(access & 64, 'RELOAD', NULL), IF(access & 128, 'SHUTDOWN', NULL), IF(access & 256, 'PROCESS', NULL),
           IF(access & 512, 'FILE', NULL), IF(access & 1024, 'GRANT OPTION', NULL),
           IF(access & 2048, 'REFERENCES', NULL), IF(access & 4096, 'INDEX', NULL), IF(access & 8192, 'ALTER', NULL),
           IF(access & 16384, 'SHOW DATABASES', NULL), IF(access & 32768, 'SUPER', NULL),
           IF(access & 65536, 'CREATE TEMPORARY TABLES', NULL), IF(access & 131072, 'LOCK TABLES', NULL),
           IF(access & 262144, 'EXECUTE', NULL), IF(access & 524288, 'REPLICATION SLAVE', NULL),
           IF(access & 1048576, 'BINLOG MONITOR', NULL), IF(access & 2097152, 'CREATE VIEW', NULL),
           IF(access & 4194304, 'SHOW VIEW', NULL), IF(access & 8388608, 'CREATE ROUTINE', NULL),
           IF(access & 16777216, 'ALTER ROUTINE', NULL), IF(access & 33554432, 'CREATE USER', NULL),
           IF(access & 67108864, 'EVENT', NULL), IF(access & 134217728, 'TRIGGER', NULL),
           IF(access & 268435456, 'CREATE TABLESPACE', NULL), IF(access & 536870912, 'DELETE HISTORY', NULL),
           -- From 10.5 on there are more, each a part of SUPER; whatever has no name here is shown as its bit.
           IF(access >> 30, CONCAT('OTHER (', HEX(access >> 30), ')'), NULL)) AS privileges
FROM (
    SELECT User, Host, CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) AS access FROM mysql.global_priv
) AS accounts
WHERE access > 0
UNION ALL
SELECT User, Host, 'database', Db, '', '',
       CONCAT_WS(',',
           IF(Select_priv = 'Y', 'SELECT', NULL), IF(Insert_priv = 'Y', 'INSERT', NULL),
           IF(Update_priv = 'Y', 'UPDATE', NULL), IF(Delete_priv = 'Y', 'DELETE', NULL),
           IF(Create_priv = 'Y', 'CREATE', NULL), IF(Drop_priv = 'Y', 'DROP', NULL),
           IF(Grant_priv = 'Y', 'GRANT OPTION', NULL), IF(References_priv = 'Y', 'REFERENCES', NULL),
           IF(Index_priv = 'Y', 'INDEX', NULL), IF(Alter_priv = 'Y', 'ALTER', NULL),
           IF(Create_tmp_table_priv = 'Y', 'CREATE TEMPORARY TABLES', NULL),
           IF(Lock_tables_priv = 'Y', 'LOCK TABLES', NULL), IF(Create_view_priv = 'Y', 'CREATE VIEW', NULL),
           IF(Show_view_priv = 'Y', 'SHOW VIEW', NULL), IF(Create_routine_priv = 'Y', 'CREATE ROUTINE', NULL),
           IF(Alter_routine_priv = 'Y', 'ALTER ROUTINE', NULL), IF(Execute_priv = 'Y', 'EXECUTE', NULL),
           IF(Event_priv = 'Y', 'EVENT', NULL), IF(Trigger_priv = 'Y', 'TRIGGER', NULL),
           IF(Delete_history_priv = 'Y', 'DELETE HISTORY', NULL))
FROM mysql.db
UNION ALL
SELECT User, Host, 'table', Db, Table_name, '', UPPER(Table_priv) FROM mysql.tables_priv
UNION ALL
SELECT User, Host, 'column', Db, Table_name, Column_name, UPPER(Column_priv) FROM mysql.columns_priv
UNION ALL
SELECT User, Host, 'routine', Db, CONCAT(Routine_type, ' ', Routine_name), '', UPPER(Proc_priv) FROM mysql.procs_priv;

DELIMITER //

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE must_be_ours (IN login_ VARCHAR(64))
    COMMENT 'Refuses a name that is not of a login that Latchkey made' READS SQL DATA SQL SECURITY DEFINER
BEGIN
    IF NOT EXISTS (SELECT 1 FROM logins WHERE login = login_) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'This login was not made by Latchkey: it is left alone';
    END IF;
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE create_login (
    IN login_ VARCHAR(64), IN verifier_ VARCHAR(64), IN integration_ VARCHAR(255), IN person_ VARCHAR(255),
    IN grant_ VARCHAR(255), IN ends_at_ DOUBLE)
    COMMENT 'Makes a login that may do nothing, and writes down whose it is' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    IF login_ NOT REGEXP '^[A-Za-z0-9_.@-]{1,32}$' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'A login has up to 32 plain letters, digits and _ . @ -';
    END IF;
    IF verifier_ NOT REGEXP '^[*][0-9A-F]{40}$' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The verifier is none of mysql_native_password';
    END IF;
    IF EXISTS (SELECT 1 FROM mysql.global_priv WHERE User = login_) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'There is an account or role of this name: it is left alone';
    END IF;
    -- A row without an account is left where somebody dropped the login by hand.
    INSERT INTO logins (login, integration, person, grant_id, ends_at)
    VALUES (login_, integration_, person_, grant_, ends_at_)
    ON DUPLICATE KEY UPDATE integration = integration_, person = person_, grant_id = grant_, ends_at = ends_at_;
    BEGIN
        DECLARE EXIT HANDLER FOR SQLEXCEPTION
        BEGIN
            DELETE FROM logins WHERE login = login_;
            RESIGNAL;
        END;
        EXECUTE IMMEDIATE CONCAT('CREATE USER ', QUOTE(login_), '@''%'' IDENTIFIED VIA mysql_native_password USING ',
                                 QUOTE(verifier_));
    END;
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE open_login (IN login_ VARCHAR(64), IN ends_at_ DOUBLE)
    COMMENT 'Lets a login in until a moment' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    UPDATE logins SET ends_at = ends_at_ WHERE login = login_;
    EXECUTE IMMEDIATE CONCAT('ALTER USER ', QUOTE(login_), '@''%'' ACCOUNT UNLOCK');
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE shut_login (IN login_ VARCHAR(64))
    COMMENT 'Lets a login in no more' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    EXECUTE IMMEDIATE CONCAT('ALTER USER ', QUOTE(login_), '@''%'' ACCOUNT LOCK');
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE set_password (
    IN login_ VARCHAR(64), IN verifier_ VARCHAR(64))
    COMMENT 'Gives a login another password' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    IF verifier_ NOT REGEXP '^[*][0-9A-F]{40}$' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The verifier is none of mysql_native_password';
    END IF;
    EXECUTE IMMEDIATE CONCAT('ALTER USER ', QUOTE(login_), '@''%'' IDENTIFIED VIA mysql_native_password USING ',
                             QUOTE(verifier_));
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE set_default_role (
    IN login_ VARCHAR(64), IN role_ VARCHAR(128))
    COMMENT 'Says which role is active after signing in; NULL: none' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    EXECUTE IMMEDIATE CONCAT('SET DEFAULT ROLE ', IF(role_ IS NULL, 'NONE', QUOTE(role_)), ' FOR ', QUOTE(login_),
                             '@''%''');
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE sessions (IN logins_ TEXT)
    COMMENT 'The open sessions of these logins, named with commas between them' READS SQL DATA SQL SECURITY DEFINER
BEGIN
    SELECT l.login, p.ID AS session
    FROM information_schema.PROCESSLIST AS p
    JOIN logins AS l ON l.login = CONVERT(p.USER USING utf8mb4) COLLATE utf8mb4_bin
    WHERE FIND_IN_SET(l.login, logins_);
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE end_sessions (IN login_ VARCHAR(64))
    COMMENT 'Ends the open sessions of a login' READS SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    FOR one IN (
        SELECT ID FROM information_schema.PROCESSLIST
        WHERE CONVERT(USER USING utf8mb4) COLLATE utf8mb4_bin = login_
    ) DO
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;  -- it has ended meanwhile
            KILL CONNECTION one.ID;
        END;
    END FOR;
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE revoke_everything (IN login_ VARCHAR(64))
    COMMENT 'Takes every privilege and role from a login' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    -- This takes the roles too, but not what was said about the one that is active after signing in.
    EXECUTE IMMEDIATE CONCAT('REVOKE ALL PRIVILEGES, GRANT OPTION FROM ', QUOTE(login_), '@''%''');
    IF EXISTS (
        SELECT 1 FROM mysql.global_priv
        WHERE User = login_ AND Host = '%' AND JSON_VALUE(Priv, '$.default_role') <> ''
    ) THEN
        EXECUTE IMMEDIATE CONCAT('SET DEFAULT ROLE NONE FOR ', QUOTE(login_), '@''%''');
    END IF;
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE defined_by (IN login_ VARCHAR(64))
    COMMENT 'What works with the rights of a login' READS SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    SELECT 'view' AS kind, TABLE_SCHEMA AS database_name, TABLE_NAME AS name
    FROM information_schema.VIEWS WHERE DEFINER = CONCAT(login_, '@%')
    UNION ALL SELECT 'trigger', TRIGGER_SCHEMA, TRIGGER_NAME
    FROM information_schema.TRIGGERS WHERE DEFINER = CONCAT(login_, '@%')
    UNION ALL SELECT LOWER(type), db, name FROM mysql.proc WHERE definer = CONCAT(login_, '@%')
    UNION ALL SELECT 'event', db, name FROM mysql.event WHERE definer = CONCAT(login_, '@%');
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE drop_login (IN login_ VARCHAR(64))
    COMMENT 'Removes a login, unless something works with its rights' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    IF EXISTS (SELECT 1 FROM information_schema.VIEWS WHERE DEFINER = CONCAT(login_, '@%'))
       OR EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE DEFINER = CONCAT(login_, '@%'))
       OR EXISTS (SELECT 1 FROM mysql.proc WHERE definer = CONCAT(login_, '@%'))
       OR EXISTS (SELECT 1 FROM mysql.event WHERE definer = CONCAT(login_, '@%')) THEN
        SIGNAL SQLSTATE '45000'
            SET MESSAGE_TEXT = 'It is the definer of a view, routine, trigger or event: give that another definer first';
    END IF;
    EXECUTE IMMEDIATE CONCAT('DROP USER IF EXISTS ', QUOTE(login_), '@''%''');
    DELETE FROM logins WHERE login = login_;
END//

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost PROCEDURE end_what_is_due ()
    COMMENT 'Locks the logins whose end has come, and ends their sessions' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    FOR one IN (
        SELECT l.login FROM logins AS l JOIN accounts AS a ON a.user = l.login AND a.host = '%'
        WHERE l.ends_at <= UNIX_TIMESTAMP(NOW(6)) AND NOT a.locked
    ) DO
        BEGIN
            DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;  -- the others have their end all the same
            CALL shut_login(one.login);
        END;
    END FOR;
    FOR one IN (
        SELECT p.ID FROM information_schema.PROCESSLIST AS p
        JOIN logins AS l ON l.login = CONVERT(p.USER USING utf8mb4) COLLATE utf8mb4_bin
        WHERE l.ends_at <= UNIX_TIMESTAMP(NOW(6))
    ) DO
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;
            KILL CONNECTION one.ID;
        END;
    END FOR;
    UPDATE setup SET looked_at = UNIX_TIMESTAMP(NOW(6));
END//

DELIMITER ;

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost EVENT end_what_is_due
    ON SCHEDULE EVERY 10 SECOND COMMENT 'Access ends here, whether or not Latchkey is there to end it'
    DO CALL latchkey.end_what_is_due();

-- The connector's own account.
CREATE USER IF NOT EXISTS latchkey@'%' ACCOUNT LOCK;
GRANT SHOW DATABASES ON *.* TO latchkey@'%';
GRANT SELECT, EXECUTE ON latchkey.* TO latchkey@'%';
