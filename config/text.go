package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"time"
)

// A Text is a scalar and the place where it stands. Lines and columns count
// from 1, columns in characters. Line 0 means that nobody wrote it.
type Text struct {
	Value        string
	Line, Column int
}

// IsSet reports whether there is a value.
func (t Text) IsSet() bool { return t.Value != "" }

// A Scalar is a scalar that was converted, and the place where it stands.
type Scalar[V any] struct {
	Value        V
	Line, Column int
	Set          bool // false: neither written nor given a default
}

// The converted scalars.
type (
	Bool     = Scalar[bool]
	Int      = Scalar[int]
	Size     = Scalar[int64] // bytes
	Duration = Scalar[time.Duration]
	Date     = Scalar[time.Time]
	Prefix   = Scalar[netip.Prefix]
)

// A Path names a file. Resolved is what to open: relative paths start in the
// folder of the configuration file, not in the working directory.
type Path struct {
	Text
	Resolved string
}

// A Secret is a value that must not be printed: every way to print it gives
// "[secret]".
type Secret struct {
	value        string
	Line, Column int
	Clear        bool // written in the file itself, not taken from elsewhere
	Made         bool // it is not there: a value of its form stands in for it

	again func() (string, bool) // reads it again where it is from
}

const hidden = "[secret]"

// Reveal gives the value itself.
func (s Secret) Reveal() string { return s.value }

// Again reads the value again where it is from: the file may hold another one by
// now. What cannot be read stays what it was.
func (s Secret) Again() string {
	if s.again != nil {
		if v, ok := s.again(); ok {
			return v
		}
	}
	return s.value
}

// IsSet reports whether there is a value.
func (s Secret) IsSet() bool { return s.value != "" }

func (s Secret) String() string { return hidden }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return hidden }

// Format hides the value from every verb of package fmt.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// MarshalText hides the value from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the value from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
