package steps

import (
	"maps"
	"slices"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/scim/filter"
)

// This file is what a configuration says, before it is compiled. S is a step of a
// kind of backend: what every step says, and its call in the backend's own tongue.

// A Pair is a named text.
type Pair struct{ Name, Value Text }

// A Written is what a step says whatever its call.
type Written struct {
	At, Name, When, Each Text
	Fails                []WrittenFail

	Record, Records, Key, Total, Next, Truncated Text
	Let, Set                                     []Pair
	Lacks                                        []Text
	Size                                         int
	Ordered                                      bool
}

// Yields reports whether a step says anything beside a call.
func (w *Written) Yields() bool {
	return w.Record.Value != "" || w.Records.Value != "" || w.Key.Value != "" || len(w.Let) > 0 || len(w.Fails) > 0
}

// A WrittenFail is a rule about answers.
type WrittenFail struct{ When, Kind, Field Text }

// A WrittenFind is a list that answers some filters.
type WrittenFind[S any] struct {
	Steps       []S
	Answers     []WrittenAnswer
	Exact       bool
	IgnoresCase bool
}

// A WrittenAnswer says which operators a find answers on a field.
type WrittenAnswer struct {
	Field Text
	Ops   filter.Ops
}

// WrittenMembers are the calls that change the values of a field.
type WrittenMembers[S any] struct {
	Field               Text
	Add, Remove, Change []S
}

// A Target is what the configuration says about one kind of object.
type Target[S any] struct {
	Kind   string            // the name of the kind of object
	Fields []string          // the shape
	Refers map[string]string // the kinds of object whose keys fields hold
	Multi  []string          // fields with several values
	Key    []string
	Given  bool
	Read   []Pair // how a field is read from item
	Write  []Pair // what is sent of value, the field's
	Clear  Text   // an expression: what is sent for a value that was taken away

	Get, List, Many, Create, Update, Delete []S
	Finds                                   []WrittenFind[S]
	Members                                 []WrittenMembers[S]
	Fails                                   []WrittenFail // after those of each step
}

// success is the kind of a rule that calls an answer good.
const success = "none"

// Kinds are the words for the kinds of failure.
func Kinds() []string {
	return append(slices.Sorted(maps.Keys(kinds)), success)
}

var kinds = map[string]adapters.Kind{
	"internal": adapters.Internal, "notFound": adapters.NotFound, "exists": adapters.Exists, "conflict": adapters.Conflict,
	"invalid": adapters.Invalid, "denied": adapters.Denied, "unavailable": adapters.Unavailable,
	"unsupported": adapters.Unsupported, "tooMany": adapters.TooMany,
}
