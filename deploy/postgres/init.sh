#!/bin/sh
# Roles and databases of the four services: only its own role enters a service's databases. It may be run again, to add
# what is missing and to set new passwords. The image of PostgreSQL runs it on an empty volume; elsewhere an
# administrator does, with PGHOST, PGUSER and PGPASSWORD, and the variables RELINK_<SERVICE>_PASSWORD.
set -eu

run() {
	psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres >/dev/null
}

# role NAME VARIABLE: psql reads the password from the environment itself, so that it stands in no list of processes
role() {
	run <<-SQL
		\getenv password $2
		SELECT 'CREATE ROLE $1' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$1') \gexec
		ALTER ROLE $1 LOGIN PASSWORD :'password';
	SQL
}

# database NAME OWNER
database() {
	run <<-SQL
		SELECT 'CREATE DATABASE $1 OWNER $2' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$1') \gexec
		REVOKE ALL ON DATABASE $1 FROM PUBLIC;
	SQL
}

role relink_registry RELINK_REGISTRY_PASSWORD
role relink_eligibility RELINK_ELIGIBILITY_PASSWORD
role relink_referral RELINK_REFERRAL_PASSWORD
role relink_monitoring RELINK_MONITORING_PASSWORD

database relink_registry relink_registry
database relink_eligibility relink_eligibility
database relink_eligibility_keys relink_eligibility
database relink_referral relink_referral
database relink_referral_keys relink_referral
database relink_monitoring relink_monitoring

echo 'REVOKE ALL ON DATABASE postgres FROM PUBLIC;' | run
