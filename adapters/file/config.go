package file

import (
	"fmt"

	"github.com/postern/postern/adapters"
)

// A Config is what the configuration says about a folder of files.
type Config struct {
	Folder    string
	Format    string // FormatCSV, FormatLines; "": as the name of the file says
	Delimiter string // of CSV; "": a comma
	Quote     string // of CSV: one character; "": a double quote, "none": cells are never quoted
	Encoding  string // one of Encodings; "": UTF-8

	Watch adapters.Watcher // told what is written; nil: nobody
}

// The formats.
const (
	FormatCSV   = "csv"
	FormatLines = "lines"
)

// Who makes the key of a new record.
const (
	KeysGiven  = "given"  // the record has it
	KeysUUID   = "uuid"   // a random UUID
	KeysNumber = "number" // the next number
)

// A Target is what the configuration says about one kind of object.
type Target struct {
	Type    string // how others refer to it
	File    string
	Columns []string // of a CSV file without a first line that names them
	Key     []string // the columns of the key
	Keys    string   // who makes it; "": given
	Unique  []Unique
	Lists   []List
	Links   []Link
	Refers  []Reference
}

// A Unique is a field of which no two records may have the same value.
type Unique struct {
	Field  string
	Folded bool // values that differ only in case are the same
}

// A List is a field that holds several values in one cell.
type List struct {
	Field     string
	Separator string // in CSV
}

// A Link is a field whose values stand in a file of pairs, one in each row.
type Link struct {
	Field, File   string
	Owner, Member string // columns: of this record's key, and of the value
}

// A Reference says that the values of a field are keys of a type of the same folder.
type Reference struct{ Field, Type string }

// A Problem is something that is wrong with a file. It holds no value of it.
type Problem struct {
	File string
	Line int // 0: the file as a whole
	Text string

	Column string // a column that the file lacks
	Beside bool   // the file is one of pairs
	Near   string // one that it has
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}
