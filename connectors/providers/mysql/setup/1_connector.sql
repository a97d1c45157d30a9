-- Makes what the connector needs, once per server. Run it as an admin of the server:
--
--   mysql -u root < 1_connector.sql
--   ALTER USER latchkey IDENTIFIED BY '…' ACCOUNT UNLOCK;      (a long random password of your choice)
--
-- It may be run again, and should be with each new version of this file; what Latchkey wrote down stays.
--
-- Whoever has CREATE USER can give every account without SYSTEM_USER a new password. So the connector does not get it. It
-- may only call the procedures below, which do what they do to the logins that they made themselves and to nobody else.
-- They work with the rights of latchkey_keeper, an account nobody can sign in with.
--
-- Access ends by itself where the event scheduler runs, as it does unless somebody turned it off.
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
    one BOOLEAN NOT NULL DEFAULT TRUE PRIMARY KEY CHECK (one = TRUE),
    version INT NOT NULL,
    looked_at DOUBLE NOT NULL DEFAULT 0 COMMENT 'when the event last looked, in seconds since the epoch'
) ENGINE = InnoDB;
INSERT INTO setup (version) VALUES (1) ON DUPLICATE KEY UPDATE version = 1;

CREATE USER IF NOT EXISTS latchkey_keeper@localhost ACCOUNT LOCK;
GRANT CREATE USER, PROCESS, SHOW VIEW, TRIGGER, EVENT ON *.* TO latchkey_keeper@localhost;
-- SYSTEM_USER keeps others with CREATE USER away from this account, and lets it end what somebody made mightier by hand;
-- with ROLE_ADMIN no procedure does anything but take roles from logins that were made here.
GRANT CONNECTION_ADMIN, ROLE_ADMIN, SYSTEM_USER, SHOW_ROUTINE ON *.* TO latchkey_keeper@localhost;
GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON latchkey.* TO latchkey_keeper@localhost;
GRANT SELECT (
    Host, User, account_locked, password_expired,
    Select_priv, Insert_priv, Update_priv, Delete_priv, Create_priv, Drop_priv, Reload_priv, Shutdown_priv,
    Process_priv, File_priv, Grant_priv, References_priv, Index_priv, Alter_priv, Show_db_priv, Super_priv,
    Create_tmp_table_priv, Lock_tables_priv, Execute_priv, Repl_slave_priv, Repl_client_priv, Create_view_priv,
    Show_view_priv, Create_routine_priv, Alter_routine_priv, Create_user_priv, Event_priv, Trigger_priv,
    Create_tablespace_priv, Create_role_priv, Drop_role_priv
) ON mysql.user TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.global_grants TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.db TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.tables_priv TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.columns_priv TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.procs_priv TO latchkey_keeper@localhost;
GRANT SELECT ON mysql.role_edges TO latchkey_keeper@localhost;

-- What the connector may see: who there is and who may do what, but no password hashes. A role is an account that was
-- made locked and without a valid password, or that others are in.
CREATE OR REPLACE DEFINER = latchkey_keeper@localhost SQL SECURITY DEFINER VIEW accounts AS
SELECT u.User AS user, u.Host AS host, u.account_locked = 'Y' AS locked,
       u.Host = '%' AND NOT EXISTS (SELECT 1 FROM logins WHERE login = u.User) AND (
           (u.account_locked = 'Y' AND u.password_expired = 'Y')
           OR EXISTS (SELECT 1 FROM mysql.role_edges WHERE FROM_USER = u.User AND FROM_HOST = '%')
       ) AS is_role
FROM mysql.user AS u;

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost SQL SECURITY DEFINER VIEW memberships AS
SELECT TO_USER AS user, TO_HOST AS host, IF(FROM_HOST = '%', FROM_USER, CONCAT(FROM_USER, '@', FROM_HOST)) AS role,
       WITH_ADMIN_OPTION = 'Y' AS with_admin
FROM mysql.role_edges;

CREATE OR REPLACE DEFINER = latchkey_keeper@localhost SQL SECURITY DEFINER VIEW holdings AS
SELECT User AS user, Host AS host, 'server' AS kind, '' AS database_name, '' AS object_name, '' AS column_name,
       CONCAT_WS(',',
           IF(Select_priv = 'Y', 'SELECT', NULL), IF(Insert_priv = 'Y', 'INSERT', NULL),
           IF(Update_priv = 'Y', 'UPDATE', NULL), IF(Delete_priv = 'Y', 'DELETE', NULL),
           IF(Create_priv = 'Y', 'CREATE', NULL), IF(Drop_priv = 'Y', 'DROP', NULL),
           IF(Reload_priv = 'Y', 'RELOAD', NULL), IF(Shutdown_priv = 'Y', 'SHUTDOWN', NULL),
           IF(Process_priv = 'Y', 'PROCESS', NULL), IF(File_priv = 'Y', 'FILE', NULL),
           IF(Grant_priv = 'Y', 'GRANT OPTION', NULL), IF(References_priv = 'Y', 'REFERENCES', NULL),
           IF(Index_priv = 'Y', 'INDEX', NULL), IF(Alter_priv = 'Y', 'ALTER', NULL),
           IF(Show_db_priv = 'Y', 'SHOW DATABASES', NULL), IF(Super_priv = 'Y', 'SUPER', NULL),
           IF(Create_tmp_table_priv = 'Y', 'CREATE TEMPORARY TABLES', NULL),
           IF(Lock_tables_priv = 'Y', 'LOCK TABLES', NULL), IF(Execute_priv = 'Y', 'EXECUTE', NULL),
           IF(Repl_slave_priv = 'Y', 'REPLICATION SLAVE', NULL),
           IF(Repl_client_priv = 'Y', 'REPLICATION CLIENT', NULL), IF(Create_view_priv = 'Y', 'CREATE VIEW', NULL),
           IF(Show_view_priv = 'Y', 'SHOW VIEW', NULL), IF(Create_routine_priv = 'Y', 'CREATE ROUTINE', NULL),
           IF(Alter_routine_priv = 'Y', 'ALTER ROUTINE', NULL), IF(Create_user_priv = 'Y', 'CREATE USER', NULL),
           IF(Event_priv = 'Y', 'EVENT', NULL), IF(Trigger_priv = 'Y', 'TRIGGER', NULL),
           IF(Create_tablespace_priv = 'Y', 'CREATE TABLESPACE', NULL),
           IF(Create_role_priv = 'Y', 'CREATE ROLE', NULL), IF(Drop_role_priv = 'Y', 'DROP ROLE', NULL)) AS privileges
FROM mysql.user
UNION ALL
SELECT USER, HOST, 'server', '', '', '', IF(WITH_GRANT_OPTION = 'Y', CONCAT(PRIV, ',GRANT OPTION'), PRIV)
FROM mysql.global_grants
UNION ALL
SELECT User, Host, 'database', Db, '', '',
       CONCAT_WS(',',
           IF(Select_priv = 'Y', 'SELECT', NULL), IF(Insert_priv = 'Y', 'INSERT', NULL),
           IF(Update_priv = 'Y', 'UPDATE', NULL), IF(Delete_priv = 'Y', 'DELETE', NULL),
           IF(Create_priv = 'Y', 'CREATE', NULL), IF(Drop_priv = 'Y', 'DROP', NULL),
           IF(Grant_priv = 'Y', 'GRANT OPTION', NULL), IF(References_priv = 'Y', 'REFERENCES', NULL),
           IF(Index_priv = 'Y', 'INDEX', NULL), IF(Alter_priv = 'Y', 'ALTER', NULL),
           IF(Create_tmp_table_priv = 'Y', 'CREATE TEMPORARY TABLES', NULL),
           IF(Lock_tables_priv = 'Y', 'LOCK TABLES', NULL), IF(Execute_priv = 'Y', 'EXECUTE', NULL),
           IF(Create_view_priv = 'Y', 'CREATE VIEW', NULL), IF(Show_view_priv = 'Y', 'SHOW VIEW', NULL),
           IF(Create_routine_priv = 'Y', 'CREATE ROUTINE', NULL), IF(Alter_routine_priv = 'Y', 'ALTER ROUTINE', NULL),
           IF(Event_priv = 'Y', 'EVENT', NULL), IF(Trigger_priv = 'Y', 'TRIGGER', NULL))
FROM mysql.db
UNION ALL
SELECT User, Host, 'table', Db, Table_name, '', UPPER(Table_priv) FROM mysql.tables_priv
UNION ALL
SELECT User, Host, 'column', Db, Table_name, Column_name, UPPER(Column_priv) FROM mysql.columns_priv
UNION ALL
SELECT User, Host, 'routine', Db, CONCAT(Routine_type, ' ', Routine_name), '', UPPER(Proc_priv) FROM mysql.procs_priv;

DELIMITER //

DROP PROCEDURE IF EXISTS must_be_ours//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE must_be_ours (IN login_ VARCHAR(64))
    COMMENT 'Refuses a name that is not of a login that Latchkey made' READS SQL DATA SQL SECURITY DEFINER
BEGIN
    IF NOT EXISTS (SELECT 1 FROM logins WHERE login = login_) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'This login was not made by Latchkey: it is left alone';
    END IF;
END//

DROP PROCEDURE IF EXISTS create_login//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE create_login (
    IN login_ VARCHAR(64), IN verifier_ VARCHAR(128), IN integration_ VARCHAR(255), IN person_ VARCHAR(255),
    IN grant_ VARCHAR(255), IN ends_at_ DOUBLE)
    COMMENT 'Makes a login that may do nothing, and writes down whose it is' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    IF login_ NOT REGEXP '^[A-Za-z0-9_.@-]{1,32}$' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'A login has up to 32 plain letters, digits and _ . @ -';
    END IF;
    IF verifier_ NOT REGEXP '^[$]A[$]005[$][A-Za-z0-9./]{63}$' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The verifier is none of caching_sha2_password';
    END IF;
    IF EXISTS (SELECT 1 FROM mysql.user WHERE User = login_) THEN
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
        SET @latchkey = CONCAT('CREATE USER ', QUOTE(login_), '@''%'' IDENTIFIED WITH caching_sha2_password AS ',
                                 QUOTE(verifier_));
        PREPARE latchkey_ FROM @latchkey;
        EXECUTE latchkey_;
        DEALLOCATE PREPARE latchkey_;
        SET @latchkey = NULL;
    END;
END//

DROP PROCEDURE IF EXISTS open_login//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE open_login (IN login_ VARCHAR(64), IN ends_at_ DOUBLE)
    COMMENT 'Lets a login in until a moment' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    UPDATE logins SET ends_at = ends_at_ WHERE login = login_;
    SET @latchkey = CONCAT('ALTER USER ', QUOTE(login_), '@''%'' ACCOUNT UNLOCK');
    PREPARE latchkey_ FROM @latchkey;
    EXECUTE latchkey_;
    DEALLOCATE PREPARE latchkey_;
    SET @latchkey = NULL;
END//

DROP PROCEDURE IF EXISTS shut_login//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE shut_login (IN login_ VARCHAR(64))
    COMMENT 'Lets a login in no more' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    SET @latchkey = CONCAT('ALTER USER ', QUOTE(login_), '@''%'' ACCOUNT LOCK');
    PREPARE latchkey_ FROM @latchkey;
    EXECUTE latchkey_;
    DEALLOCATE PREPARE latchkey_;
    SET @latchkey = NULL;
END//

DROP PROCEDURE IF EXISTS set_password//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE set_password (
    IN login_ VARCHAR(64), IN verifier_ VARCHAR(128))
    COMMENT 'Gives a login another password' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    IF verifier_ NOT REGEXP '^[$]A[$]005[$][A-Za-z0-9./]{63}$' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The verifier is none of caching_sha2_password';
    END IF;
    SET @latchkey = CONCAT('ALTER USER ', QUOTE(login_), '@''%'' IDENTIFIED WITH caching_sha2_password AS ',
                             QUOTE(verifier_));
    PREPARE latchkey_ FROM @latchkey;
    EXECUTE latchkey_;
    DEALLOCATE PREPARE latchkey_;
    SET @latchkey = NULL;
END//

DROP PROCEDURE IF EXISTS set_default_role//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE set_default_role (
    IN login_ VARCHAR(64), IN role_ VARCHAR(128))
    COMMENT 'Makes every role of a login active after signing in; NULL: none' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    SET @latchkey = CONCAT('ALTER USER ', QUOTE(login_), '@''%'' DEFAULT ROLE ', IF(role_ IS NULL, 'NONE', 'ALL'));
    PREPARE latchkey_ FROM @latchkey;
    EXECUTE latchkey_;
    DEALLOCATE PREPARE latchkey_;
    SET @latchkey = NULL;
END//

DROP PROCEDURE IF EXISTS sessions//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE sessions (IN logins_ TEXT)
    COMMENT 'The open sessions of these logins, named with commas between them' READS SQL DATA SQL SECURITY DEFINER
BEGIN
    SELECT l.login, p.ID AS session
    FROM performance_schema.processlist AS p
    JOIN logins AS l ON l.login = p.USER
    WHERE FIND_IN_SET(l.login, logins_);
END//

DROP PROCEDURE IF EXISTS end_sessions//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE end_sessions (IN login_ VARCHAR(64))
    COMMENT 'Ends the open sessions of a login' READS SQL DATA SQL SECURITY DEFINER
BEGIN
    DECLARE session_ BIGINT UNSIGNED;
    DECLARE over_ BOOLEAN DEFAULT FALSE;
    DECLARE open_ CURSOR FOR SELECT ID FROM performance_schema.processlist WHERE USER = login_;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET over_ = TRUE;
    DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;  -- it has ended meanwhile
    CALL must_be_ours(login_);
    OPEN open_;
    FETCH open_ INTO session_;
    WHILE NOT over_ DO
        KILL CONNECTION session_;
        FETCH open_ INTO session_;
    END WHILE;
    CLOSE open_;
END//

DROP PROCEDURE IF EXISTS revoke_everything//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE revoke_everything (IN login_ VARCHAR(64))
    COMMENT 'Takes every privilege and role from a login' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    DECLARE role_, host_ VARCHAR(255);
    DECLARE over_ BOOLEAN DEFAULT FALSE;
    DECLARE roles_ CURSOR FOR
        SELECT FROM_USER, FROM_HOST FROM mysql.role_edges WHERE TO_USER = login_ AND TO_HOST = '%';
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET over_ = TRUE;
    CALL must_be_ours(login_);
    OPEN roles_;
    FETCH roles_ INTO role_, host_;
    WHILE NOT over_ DO
        SET @latchkey = CONCAT('REVOKE ', QUOTE(role_), '@', QUOTE(host_), ' FROM ', QUOTE(login_), '@''%''');
        PREPARE latchkey_ FROM @latchkey;
        EXECUTE latchkey_;
        DEALLOCATE PREPARE latchkey_;
        FETCH roles_ INTO role_, host_;
    END WHILE;
    CLOSE roles_;
    SET @latchkey = CONCAT('REVOKE ALL PRIVILEGES, GRANT OPTION FROM ', QUOTE(login_), '@''%''');
    PREPARE latchkey_ FROM @latchkey;
    EXECUTE latchkey_;
    DEALLOCATE PREPARE latchkey_;
    SET @latchkey = NULL;
END//

DROP PROCEDURE IF EXISTS defined_by//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE defined_by (IN login_ VARCHAR(64))
    COMMENT 'What works with the rights of a login' READS SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    SELECT 'view' AS kind, TABLE_SCHEMA AS database_name, TABLE_NAME AS name
    FROM information_schema.VIEWS WHERE DEFINER = CONCAT(login_, '@%')
    UNION ALL SELECT 'trigger', TRIGGER_SCHEMA, TRIGGER_NAME
    FROM information_schema.TRIGGERS WHERE DEFINER = CONCAT(login_, '@%')
    UNION ALL SELECT LOWER(ROUTINE_TYPE), ROUTINE_SCHEMA, ROUTINE_NAME
    FROM information_schema.ROUTINES WHERE DEFINER = CONCAT(login_, '@%')
    UNION ALL SELECT 'event', EVENT_SCHEMA, EVENT_NAME
    FROM information_schema.EVENTS WHERE DEFINER = CONCAT(login_, '@%');
END//

DROP PROCEDURE IF EXISTS drop_login//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE drop_login (IN login_ VARCHAR(64))
    COMMENT 'Removes a login, unless something works with its rights' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    CALL must_be_ours(login_);
    IF EXISTS (SELECT 1 FROM information_schema.VIEWS WHERE DEFINER = CONCAT(login_, '@%'))
       OR EXISTS (SELECT 1 FROM information_schema.TRIGGERS WHERE DEFINER = CONCAT(login_, '@%'))
       OR EXISTS (SELECT 1 FROM information_schema.ROUTINES WHERE DEFINER = CONCAT(login_, '@%'))
       OR EXISTS (SELECT 1 FROM information_schema.EVENTS WHERE DEFINER = CONCAT(login_, '@%')) THEN
        SIGNAL SQLSTATE '45000'
            SET MESSAGE_TEXT = 'It is the definer of a view, routine, trigger or event: give that another definer first';
    END IF;
    SET @latchkey = CONCAT('DROP USER IF EXISTS ', QUOTE(login_), '@''%''');
    PREPARE latchkey_ FROM @latchkey;
    EXECUTE latchkey_;
    DEALLOCATE PREPARE latchkey_;
    SET @latchkey = NULL;
    DELETE FROM logins WHERE login = login_;
END//

DROP PROCEDURE IF EXISTS end_what_is_due//
CREATE DEFINER = latchkey_keeper@localhost PROCEDURE end_what_is_due ()
    COMMENT 'Locks the logins whose end has come, and ends their sessions' MODIFIES SQL DATA SQL SECURITY DEFINER
BEGIN
    DECLARE login_ VARCHAR(64);
    DECLARE session_ BIGINT UNSIGNED;
    DECLARE over_ BOOLEAN DEFAULT FALSE;
    DECLARE due_ CURSOR FOR
        SELECT l.login FROM logins AS l JOIN accounts AS a ON a.user = l.login AND a.host = '%'
        WHERE l.ends_at <= UNIX_TIMESTAMP(NOW(6)) AND NOT a.locked;
    DECLARE open_ CURSOR FOR
        SELECT p.ID FROM performance_schema.processlist AS p JOIN logins AS l ON l.login = p.USER
        WHERE l.ends_at <= UNIX_TIMESTAMP(NOW(6));
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET over_ = TRUE;
    OPEN due_;
    FETCH due_ INTO login_;
    WHILE NOT over_ DO
        BEGIN
            DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;  -- the others have their end all the same
            CALL shut_login(login_);
        END;
        FETCH due_ INTO login_;
    END WHILE;
    CLOSE due_;
    SET over_ = FALSE;
    OPEN open_;
    FETCH open_ INTO session_;
    WHILE NOT over_ DO
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;  -- it has ended meanwhile
            KILL CONNECTION session_;
        END;
        FETCH open_ INTO session_;
    END WHILE;
    CLOSE open_;
    UPDATE setup SET looked_at = UNIX_TIMESTAMP(NOW(6));
END//

DELIMITER ;

DROP EVENT IF EXISTS end_what_is_due;
CREATE DEFINER = latchkey_keeper@localhost EVENT end_what_is_due
    ON SCHEDULE EVERY 10 SECOND COMMENT 'Access ends here, whether or not Latchkey is there to end it'
    DO CALL latchkey.end_what_is_due();

-- The connector's own account.
CREATE USER IF NOT EXISTS latchkey@'%' ACCOUNT LOCK;
GRANT SHOW DATABASES ON *.* TO latchkey@'%';
GRANT SELECT, EXECUTE ON latchkey.* TO latchkey@'%';
