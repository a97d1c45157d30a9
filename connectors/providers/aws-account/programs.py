"""The programs of this provider: what is asked of AWS, and every policy, is in these files and nowhere else."""

from pathlib import Path

from connectors.toolkit.call_files import Calls
from connectors.toolkit.policy_files import Policies

FOLDER = Path(__file__).resolve().parent
_program = Calls(FOLDER / "programs").program
_POLICIES = Policies(FOLDER / "programs")

# Looking at what is ours.
IDENTITY = _program("identity")
POLICY = _program("policy", "policy")
POLICY_DOCUMENT = _program("policy_document", "policy", "version")
USER = _program("user", "login")
USERS = _program("users", "path", "marker")
KEYS = _program("keys", "login", "marker")
USER_POLICIES = _program("user_policies", "login", "marker")
USER_POLICY = _program("user_policy", "login", "name")
ATTACHED_POLICIES = _program("attached_policies", "login", "marker")
GROUPS_OF_USER = _program("groups_of_user", "login", "marker")
POLICIES_BELOW = _program("policies_below", "path", "marker")
INSTANCE_SESSIONS = _program("instance_sessions", "owner", "marker")

# Looking at what there is.
GROUPS = _program("groups", "marker", "size")
GROUP = _program("group", "group")
POLICIES = _program("policies", "marker", "size")
ROLES = _program("roles", "marker", "size")
ROLE = _program("role", "role")
BUCKETS = _program("buckets", "region", "size", "marker")
BUCKET_ENCRYPTION = _program("bucket_encryption", "bucket")
TABLES = _program("tables", "marker", "size")
TABLE = _program("table", "table")
SECRETS = _program("secrets", "marker", "size")
SECRET = _program("secret", "secret")
TOPICS = _program("topics", "marker")
TOPIC = _program("topic", "topic")
QUEUES = _program("queues", "marker", "size")
QUEUE_ADDRESS = _program("queue_address", "queue")
QUEUE = _program("queue", "address")
INSTANCES = _program("instances", "marker", "size")
INSTANCE = _program("instance", "instance")
REPOSITORIES = _program("repositories", "marker", "size")
REPOSITORY = _program("repository", "repository")
KEY = _program("key", "key")
TAGS_OF = _program("tags_of", "arns")
TAG_VALUES = _program("tag_values", "key", "marker")

# The user of a grant.
CREATE_USER = _program("create_user", "login", "path", "boundary", "integration", "person", "grant")
DROP_USER = _program("drop_user", "login")
CREATE_KEY = _program("create_key", "login")
DROP_KEY = _program("drop_key", "login", "key")
SET_USER_POLICY = _program("set_user_policy", "login", "name", "document")
DELETE_USER_POLICY = _program("delete_user_policy", "login", "name")
CREATE_POLICY = _program("create_policy", "name", "path", "document", "integration", "person", "grant")
DROP_POLICY = _program("drop_policy", "policy")
GRANT_POLICY = _program("grant_policy", "login", "policy")
REVOKE_POLICY = _program("revoke_policy", "login", "policy")
GRANT_GROUP = _program("grant_group", "login", "group")
REVOKE_GROUP = _program("revoke_group", "login", "group")
END_INSTANCE_SESSION = _program("end_instance_session", "session")

# What a policy says. The last two are on every user: nothing after the end, whatever it has; and nothing any more.
ALLOW_BUCKET_ADMIN = _POLICIES.program("allow_bucket_admin", "resources", "ends_at", "parts")
ALLOW_BUCKET_READ_ONLY = _POLICIES.program("allow_bucket_read_only", "resources", "ends_at", "parts")
ALLOW_BUCKET_READ_WRITE = _POLICIES.program("allow_bucket_read_write", "resources", "ends_at", "parts")
ALLOW_INSTANCE_CONNECT = _POLICIES.program(
    "allow_instance_connect", "resources", "ends_at", "tags", "documents", "sessions"
)
ALLOW_INSTANCE_MANAGE = _POLICIES.program("allow_instance_manage", "resources", "ends_at", "tags")
ALLOW_KEY_READ = _POLICIES.program("allow_key_read", "resources", "ends_at", "service")
ALLOW_KEY_WRITE = _POLICIES.program("allow_key_write", "resources", "ends_at", "service")
ALLOW_QUEUE_ADMIN = _POLICIES.program("allow_queue_admin", "resources", "ends_at", "tags")
ALLOW_QUEUE_READ_ONLY = _POLICIES.program("allow_queue_read_only", "resources", "ends_at", "tags")
ALLOW_QUEUE_READ_WRITE = _POLICIES.program("allow_queue_read_write", "resources", "ends_at", "tags")
ALLOW_REPOSITORY_ADMIN = _POLICIES.program("allow_repository_admin", "resources", "ends_at", "tags")
ALLOW_REPOSITORY_READ_ONLY = _POLICIES.program("allow_repository_read_only", "resources", "ends_at", "tags")
ALLOW_REPOSITORY_READ_WRITE = _POLICIES.program("allow_repository_read_write", "resources", "ends_at", "tags")
ALLOW_ROLE_ATTACH = _POLICIES.program("allow_role_attach", "resources", "ends_at")
ALLOW_SECRET_ADMIN = _POLICIES.program("allow_secret_admin", "resources", "ends_at", "tags")
ALLOW_SECRET_READ_ONLY = _POLICIES.program("allow_secret_read_only", "resources", "ends_at", "tags")
ALLOW_SECRET_READ_WRITE = _POLICIES.program("allow_secret_read_write", "resources", "ends_at", "tags")
ALLOW_TABLE_ADMIN = _POLICIES.program("allow_table_admin", "resources", "ends_at", "tags", "parts")
ALLOW_TABLE_READ_ONLY = _POLICIES.program("allow_table_read_only", "resources", "ends_at", "tags", "parts")
ALLOW_TABLE_READ_WRITE = _POLICIES.program("allow_table_read_write", "resources", "ends_at", "tags", "parts")
ALLOW_TOPIC_ADMIN = _POLICIES.program("allow_topic_admin", "resources", "ends_at")
ALLOW_TOPIC_READ_ONLY = _POLICIES.program("allow_topic_read_only", "resources", "ends_at")
ALLOW_TOPIC_READ_WRITE = _POLICIES.program("allow_topic_read_write", "resources", "ends_at")
DENY_AFTER_THE_END = _POLICIES.program("deny_after_the_end", "ends_at")
DENY_EVERYTHING = _POLICIES.program("deny_everything")
