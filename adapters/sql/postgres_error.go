package sql

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/postern/postern/adapters"
)

// classify reads PostgreSQL's codes,
// https://www.postgresql.org/docs/current/errcodes-appendix.html.
func (postgres) classify(err error) failure {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return postgresFailure(e)
	}
	f := otherFailure(err)
	if f.kind != adapters.Internal {
		return f
	}
	if strings.Contains(err.Error(), "failed to encode args") { // the driver refuses a value before it is sent
		return failure{kind: adapters.Invalid}
	}
	return failure{kind: adapters.Unavailable} // the connection
}

func postgresFailure(e *pgconn.PgError) failure {
	f := failure{kind: adapters.Internal, table: e.TableName, index: e.ConstraintName}
	if e.ColumnName != "" {
		f.columns, f.index = []string{e.ColumnName}, ""
	}
	switch e.Code {
	case "23505", "23P01": // unique_violation, exclusion_violation
		f.kind = adapters.Exists
	case "23503", "23001": // foreign_key_violation, restrict_violation
		f.kind, f.foreign = adapters.Invalid, true
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return failure{kind: adapters.Unavailable, busy: true}
	case "0A000": // feature_not_supported
		if strings.Contains(e.Message, "cached plan") { // the driver has forgotten it by now
			return failure{kind: adapters.Unavailable, busy: true, stale: true}
		}
	case "26000": // invalid_sql_statement_name
		return failure{kind: adapters.Unavailable, busy: true}
	case "42P01", "42703", "42P10", "3F000", "42883", "42804": // undefined table, column, index of a conflict, schema, function; datatype_mismatch
		return failure{kind: adapters.Unavailable, stale: true}
	case "42501", "25006": // insufficient_privilege, read_only_sql_transaction
		f.kind = adapters.Denied
	case "428C9", "P0001", "44000": // generated_always, raise_exception, with_check_option_violation
		f.kind = adapters.Invalid
	default:
		f.kind = postgresClass(e.Code)
	}
	return f
}

func postgresClass(code string) adapters.Kind {
	if len(code) < 2 {
		return adapters.Internal
	}
	switch code[:2] {
	case "22", "23": // data exception, integrity constraint violation
		return adapters.Invalid
	case "28": // invalid authorization specification
		return adapters.Denied
	case "08", "3D", "53", "54", "57", "58", "55": // connection, catalog, resources, operator, system, state
		return adapters.Unavailable
	}
	return adapters.Internal
}
