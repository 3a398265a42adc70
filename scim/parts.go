package scim

import (
	"bytes"
	"io"
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

// ReadParts reads an object one of whose members is a long array: it calls each
// with the bytes of every element of that array, one after the other, so that
// only one of them need be in memory as a Node, and answers the other members.
// The elements are well-formed JSON, and each keeps the limits by itself.
func ReadParts(data []byte, array string, lim Limits, each func(raw []byte) error) (Node, error) {
	if lim.Depth <= 0 {
		lim.Depth = defaultDepth
	}
	lim.Elements = math.MaxInt
	r := &jsonReader{data: data, limits: lim, dec: jsontext.NewDecoder(bytes.NewBuffer(data))}
	if kind := r.dec.PeekKind(); kind != '{' {
		n, err := r.value(0)
		if err != nil {
			return Node{}, r.explain(err)
		}
		return Node{}, Bad(InvalidSyntax, "The body must be a JSON object, not %s.", n.Kind)
	}
	n, err := r.parts(array, each)
	if err != nil {
		return Node{}, r.explain(err)
	}
	if _, err := r.dec.ReadToken(); err != io.EOF {
		return Node{}, Bad(InvalidSyntax, "The body goes on after the JSON value has ended, at %s; send one value.", r.place(r.next()))
	}
	return n, nil
}

func (r *jsonReader) parts(array string, each func(raw []byte) error) (Node, error) {
	n := Node{Kind: NodeObject}
	if _, err := r.dec.ReadToken(); err != nil {
		return n, err
	}
	var seen map[string]bool
	for r.dec.PeekKind() != '}' {
		at := r.next()
		tok, err := r.dec.ReadToken()
		if err != nil {
			return n, err
		}
		name := tok.String()
		if seen, err = r.distinct(n.Members, seen, name, at); err != nil {
			return n, err
		}
		m := Member{Name: name}
		if equalFoldASCII(name, array) && r.dec.PeekKind() == '[' {
			m.Value.Kind = NodeArray
			err = r.elementsOf(each)
		} else {
			m.Value, err = r.value(1)
		}
		if err != nil {
			return n, err
		}
		n.Members = append(n.Members, m)
	}
	_, err := r.dec.ReadToken()
	return n, err
}

func (r *jsonReader) elementsOf(each func(raw []byte) error) error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	for r.dec.PeekKind() != ']' {
		raw, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		if err := each(raw); err != nil {
			return err
		}
	}
	_, err := r.dec.ReadToken()
	return err
}
