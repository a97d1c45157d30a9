-- Who the connector is here, and whether its connection is encrypted.
SELECT CURRENT_USER() AS account, @@GLOBAL.event_scheduler AS scheduler,
       (SELECT IF(VARIABLE_VALUE = '', 'no', 'yes') FROM performance_schema.session_status
        WHERE VARIABLE_NAME = 'Ssl_cipher') AS encrypted;
