package sql

import (
	"errors"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/postern/postern/adapters"
)

// classify reads the error codes of MariaDB,
// https://mariadb.com/kb/en/mariadb-error-code-reference/, and those of MySQL.
func (maria) classify(err error) failure {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return mariaFailure(e.Number, string(e.SQLState[:]), e.Message)
	}
	if errors.Is(err, mysql.ErrPktTooLarge) {
		return failure{kind: adapters.Invalid}
	}
	f := otherFailure(err)
	if f.kind != adapters.Internal {
		return f
	}
	return failure{kind: adapters.Unavailable} // the connection
}

func mariaFailure(number uint16, state, message string) failure {
	switch number {
	case 1062, 1169, 1586: // duplicate entry, in words that differ
		return failure{kind: adapters.Exists, index: mariaIndex(message)}
	case 1048, 1364, 1406, 1264, 1265, 1366, 1292, 1411, 1906, 3105, 1288, 1348: // a value that a column does not take
		return mariaColumnFailure(message)
	case 1216, 1217, 1451, 1452: // foreign keys
		f := failure{kind: adapters.Invalid, foreign: true}
		f.table, f.columns = mariaForeign(message)
		return f
	case 4025, 3819: // check constraints
		table, name := mariaCheck(message)
		return failure{kind: adapters.Invalid, table: table, index: name}
	case 1205, 1213, 1020, 1412, 1615, 1243: // lock wait, deadlock, snapshot, a table or statement that changed
		return failure{kind: adapters.Unavailable, busy: true, stale: number == 1412 || number == 1615}
	case 1146, 1054, 1049, 1109, 1356: // no such table, column, database; a view on such
		return failure{kind: adapters.Unavailable, stale: true}
	case 1044, 1045, 1142, 1143, 1227, 1290, 1370, 1698, 1792, 1836, 3118, 4151: // rights, read only, locked accounts
		return failure{kind: adapters.Denied}
	case 1267, 1270, 1271, 1300, 1644, 1690, 3140, 1153: // texts that do not go together, SIGNAL, range, JSON, size
		return failure{kind: adapters.Invalid}
	case 1317, 1969, 3024, 1040, 1041, 1053, 1077, 1114, 1021, 1030, 1203, 1206, 1226, 1927, 3572, 4031: // interrupted, too slow, full, shut down
		return failure{kind: adapters.Unavailable}
	}
	return failure{kind: mariaState(state)}
}

func mariaState(state string) adapters.Kind {
	switch {
	case strings.HasPrefix(state, "22"), strings.HasPrefix(state, "23"), strings.HasPrefix(state, "45"), strings.HasPrefix(state, "44"):
		return adapters.Invalid
	case strings.HasPrefix(state, "28"):
		return adapters.Denied
	case strings.HasPrefix(state, "08"):
		return adapters.Unavailable
	}
	return adapters.Internal
}

// mariaIndex is the index in "Duplicate entry '...' for key 'employee.login'": the
// value may hold anything, so the end is looked at.
func mariaIndex(message string) string {
	i := strings.LastIndex(message, "for key '")
	if i < 0 {
		return ""
	}
	name := strings.TrimSuffix(message[i+len("for key '"):], "'")
	return name[strings.LastIndexByte(name, '.')+1:]
}

// mariaColumn is how a message ends that names a column: before it there may be
// the value, which may hold anything.
var mariaColumn = regexp.MustCompile("(?:olumn|ield) (?:'([^']*)'|(?:`[^`]*`\\.)?(?:`([^`]*)`\\.)?`([^`]*)`)" +
	"(?: at row [0-9]+| cannot be null| doesn't have a default value| is not updatable)$")

// mariaColumnFailure reads "... for column `hr`.`employee`.`login` at row 1" and its like.
func mariaColumnFailure(message string) failure {
	f := failure{kind: adapters.Invalid}
	if found := mariaColumn.FindStringSubmatch(message); found != nil {
		f.columns, f.table = []string{found[1] + found[3]}, found[2]
	}
	return f
}

// mariaForeign reads "... fails (`hr`.`employee`, CONSTRAINT `x` FOREIGN KEY (`boss_no`) REFERENCES ...".
func mariaForeign(message string) (table string, columns []string) {
	_, rest, _ := strings.Cut(message, "fails (")
	before, after, ok := strings.Cut(rest, " FOREIGN KEY (")
	if !ok {
		return "", nil
	}
	name, _, _ := strings.Cut(before, ", CONSTRAINT ")
	list, _, _ := strings.Cut(after, ") REFERENCES")
	for column := range strings.SplitSeq(list, ", ") {
		columns = append(columns, strings.Trim(column, "`"))
	}
	return strings.Trim(name[strings.LastIndex(name, ".")+1:], "`"), columns
}

// mariaCheck reads "CONSTRAINT `employee.login` failed for `hr`.`employee`", or
// "Check constraint 'x' is violated.".
func mariaCheck(message string) (table, name string) {
	if rest, ok := strings.CutPrefix(message, "CONSTRAINT `"); ok {
		name, rest, _ = strings.Cut(rest, "` failed for ")
		table = strings.Trim(rest[strings.LastIndex(rest, ".")+1:], "`")
		return table, strings.TrimPrefix(name, table+".")
	}
	_, rest, _ := strings.Cut(message, "'")
	name, _, _ = strings.Cut(rest, "'")
	return "", name
}
