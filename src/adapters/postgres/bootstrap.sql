-- Roles and schema ownership, made once by the database's superuser. Every statement may run again.
-- tenantml_migrator owns the schema and runs migrations; tenantml_app serves requests and owns nothing,
-- so that row level security binds it. Neither is a superuser, and neither may bypass row level security.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantml_migrator') THEN
    CREATE ROLE tenantml_migrator LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tenantml_app') THEN
    CREATE ROLE tenantml_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
  END IF;
END $$;

GRANT rds_iam TO tenantml_migrator, tenantml_app;

GRANT CONNECT, CREATE, TEMPORARY ON DATABASE tenantml TO tenantml_migrator;

GRANT CONNECT ON DATABASE tenantml TO tenantml_app;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

GRANT USAGE, CREATE ON SCHEMA public TO tenantml_migrator;
