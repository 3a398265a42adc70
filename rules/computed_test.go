package rules

import (
	"testing"

	"github.com/postern/postern/scim"
)

// TestComputed: a field that follows from other attributes is written, and its
// attribute is readOnly; one whose out looks at the attribute is not.
func TestComputed(t *testing.T) {
	for what, want := range map[string]scim.Mutable{
		`resource.userName + "!"`:     scim.ReadOnly,
		`"fixed"`:                     scim.ReadOnly,
		`lower(value)`:                scim.ReadWrite,
		`resource.nickName ?? "none"`: scim.ReadWrite,
		`value ?? resource.userName`:  scim.ReadWrite,
		`kept ?? resource.userName`:   scim.ReadWrite,
	} {
		m := compiled(t, userInput(userName(), rule("nickName", name("nick"), in("value"), out(what))))
		if got := m.Type.Layout.Find("nickName").Mutability; got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
		if i := m.Shape().Index("nick"); i < 0 || !m.Rules()[1].writable {
			t.Errorf("%s: the field is not written", what)
		}
	}
}
