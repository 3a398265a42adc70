package scim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A NodeKind tells what a Node holds.
type NodeKind uint8

// The kinds of JSON value.
const (
	NodeNull NodeKind = iota
	NodeBool
	NodeNumber
	NodeString
	NodeArray
	NodeObject
)

var nodeNames = [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}

// String names the kind with its article, for sentences like "found a number".
func (k NodeKind) String() string { return nodeNames[k] }

// A Node is a JSON value as a client sent it, before anything is known about
// what it should be.
type Node struct {
	Kind    NodeKind
	Str     string // NodeString: its text; NodeNumber: as written; NodeBool: true or false
	Items   []Node
	Members []Member
	Offset  int64 // byte position in the document
}

// A Member is one name and value of a JSON object.
type Member struct {
	Name  string
	Value Node
}

// IsTrue reports whether the node is the literal true.
func (n Node) IsTrue() bool { return n.Kind == NodeBool && n.Str == "true" }

// Find returns the member with that name; names compare without case (S-01).
func (n Node) Find(name string) (Node, bool) {
	for i := range n.Members {
		if equalFoldASCII(n.Members[i].Name, name) {
			return n.Members[i].Value, true
		}
	}
	return Node{}, false
}

// Limits bound what ReadJSON takes from a client (H-17). Zero means the default.
type Limits struct {
	Depth    int // of nested arrays and objects, by default 16
	Elements int // array elements and object members in all, by default 200,000
}

const (
	defaultDepth    = 16
	defaultElements = 200_000
)

// ReadJSON reads a whole request body. Beyond the grammar of RFC 8259 it refuses
// what two readers could understand differently: invalid UTF-8, lone surrogates,
// names that are equal when case is ignored (S-38); and the character NUL, which
// no backend stores faithfully. Errors are *Error and say where.
func ReadJSON(data []byte, lim Limits) (Node, error) {
	if lim.Depth <= 0 {
		lim.Depth = defaultDepth
	}
	if lim.Elements <= 0 {
		lim.Elements = defaultElements
	}
	r := &jsonReader{data: data, limits: lim, dec: jsontext.NewDecoder(bytes.NewBuffer(data))}
	n, err := r.value(0)
	if err != nil {
		return Node{}, r.explain(err)
	}
	if _, err := r.dec.ReadToken(); err != io.EOF {
		return Node{}, Bad(InvalidSyntax, "The body goes on after the JSON value has ended, at %s; send one value.", r.place(r.next()))
	}
	return n, nil
}

type jsonReader struct {
	data     []byte
	dec      *jsontext.Decoder
	limits   Limits
	elements int
}

func (r *jsonReader) value(depth int) (Node, error) {
	at := r.next()
	tok, err := r.dec.ReadToken()
	if err != nil {
		return Node{}, err
	}
	n := Node{Offset: at}
	switch tok.Kind() {
	case 't', 'f':
		n.Kind, n.Str = NodeBool, tok.String()
	case '0':
		n.Kind, n.Str = NodeNumber, tok.String()
	case '"':
		n.Kind, n.Str = NodeString, tok.String()
		err = r.text(n.Str, at)
	case '[':
		n.Kind = NodeArray
		err = r.items(&n, depth+1)
	case '{':
		n.Kind = NodeObject
		err = r.members(&n, depth+1)
	}
	return n, err
}

// next is where the next token begins.
func (r *jsonReader) next() int64 {
	at := r.dec.InputOffset()
	for at < int64(len(r.data)) && strings.IndexByte(" \t\r\n,:", r.data[at]) >= 0 {
		at++
	}
	return at
}

func (r *jsonReader) enter(depth int, at int64) error {
	if depth > r.limits.Depth {
		return Bad(InvalidSyntax, "The JSON is nested more than %d levels deep, at %s.", r.limits.Depth, r.place(at))
	}
	return nil
}

func (r *jsonReader) items(n *Node, depth int) error {
	if err := r.enter(depth, n.Offset); err != nil {
		return err
	}
	for r.dec.PeekKind() != ']' {
		if err := r.count(); err != nil {
			return err
		}
		item, err := r.value(depth)
		if err != nil {
			return err
		}
		n.Items = append(n.Items, item)
	}
	_, err := r.dec.ReadToken()
	return err
}

func (r *jsonReader) members(n *Node, depth int) error {
	if err := r.enter(depth, n.Offset); err != nil {
		return err
	}
	var seen map[string]bool
	for r.dec.PeekKind() != '}' {
		if err := r.count(); err != nil {
			return err
		}
		at := r.next()
		tok, err := r.dec.ReadToken()
		if err != nil {
			return err
		}
		name := tok.String()
		if err := r.text(name, at); err != nil {
			return err
		}
		if seen, err = r.distinct(n.Members, seen, name, at); err != nil {
			return err
		}
		v, err := r.value(depth)
		if err != nil {
			return err
		}
		n.Members = append(n.Members, Member{Name: name, Value: v})
	}
	_, err := r.dec.ReadToken()
	return err
}

// fewMembers is how many names are compared one by one before a set is made.
const fewMembers = 16

// distinct refuses a name that the object already has in another case (S-38).
func (r *jsonReader) distinct(members []Member, seen map[string]bool, name string, at int64) (map[string]bool, error) {
	if len(members) >= fewMembers && seen == nil {
		seen = make(map[string]bool, 4*fewMembers)
		for i := range members {
			seen[lowerASCII(members[i].Name)] = true
		}
	}
	twice := false
	if seen != nil {
		low := lowerASCII(name)
		twice, seen[low] = seen[low], true
	} else {
		for i := range members {
			twice = twice || equalFoldASCII(members[i].Name, name)
		}
	}
	if twice {
		return seen, Bad(InvalidSyntax, "The member %q occurs twice in one object, at %s; names are the same whatever their case.",
			name, r.place(at))
	}
	return seen, nil
}

func (r *jsonReader) text(s string, at int64) error {
	if strings.IndexByte(s, 0) < 0 {
		return nil
	}
	return Bad(InvalidValue, `A string holds the character NUL (\u0000), at %s; leave it out.`, r.place(at))
}

func (r *jsonReader) count() error {
	if r.elements++; r.elements > r.limits.Elements {
		return Errorf(413, "", "The body holds more than %d array elements and object members, which is the limit; send it in parts.",
			r.limits.Elements)
	}
	return nil
}

// explain turns an error of the JSON decoder into one for the client.
func (r *jsonReader) explain(err error) error {
	var own *Error
	if errors.As(err, &own) {
		return err
	}
	if len(bytes.TrimSpace(r.data)) == 0 {
		return Bad(InvalidSyntax, "The body is empty; send a JSON object.")
	}
	var syn *jsontext.SyntacticError
	if errors.As(err, &syn) && !errors.Is(err, io.ErrUnexpectedEOF) && syn.Err != nil {
		if errors.Is(syn.Err, jsontext.ErrDuplicateName) {
			return Bad(InvalidSyntax, "The member %q occurs twice in one object, at %s.",
				syn.JSONPointer.LastToken(), r.place(syn.ByteOffset))
		}
		return Bad(InvalidSyntax, "The body is not valid JSON at %s: %s.", r.place(syn.ByteOffset),
			strings.TrimPrefix(syn.Err.Error(), "jsontext: "))
	}
	return Bad(InvalidSyntax, "The body is not valid JSON: it ends too early, at %s.", r.place(int64(len(r.data))))
}

// place words a byte offset for people: line 3, column 14 (byte 57).
func (r *jsonReader) place(offset int64) string {
	before := r.data[:min(max(offset, 0), int64(len(r.data)))]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1) + 1
	return fmt.Sprintf("line %d, column %d (byte %d)", line, column, offset)
}

func equalFoldASCII(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lowerByte(a[i]) != lowerByte(b[i]) {
			return false
		}
	}
	return true
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}
