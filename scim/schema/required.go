package schema

import (
	"fmt"
	"strings"

	"github.com/postern/postern/scim"
)

// CheckRequired refuses a resource that lacks a required attribute, or an
// extension that its type requires (S-27, S-37, C-07). What is readOnly is the
// server's own duty.
func CheckRequired(r *scim.Resource) error { return checkRequired(r, false) }

// Validate checks a whole resource, as it is after PATCH: required attributes,
// one primary element, canonical values where they are enforced.
func Validate(r *scim.Resource) error {
	for _, a := range r.Layout().Attributes() {
		if err := validate(a, r.Get(a)); err != nil {
			return located(a, err)
		}
	}
	return checkRequired(r, true)
}

func validate(a *scim.Attribute, v scim.Value) error {
	switch v.Kind() {
	case scim.KindList:
		for i, e := range v.Elems() {
			if err := validate(a, e); err != nil {
				return under(fmt.Sprintf("[%d]", i), err)
			}
		}
		return onePrimary(a, v.Elems())
	case scim.KindComplex:
		for _, sub := range a.Sub {
			if err := validate(sub, v.Get(sub)); err != nil {
				return under(separator(a)+sub.Name, err)
			}
		}
	case scim.KindString:
		if _, ok := canonical(a, v.String()); !ok && a.EnforceCanonical {
			return invalid("expected one of %s", strings.Join(a.CanonicalValues, ", "))
		}
	}
	return nil
}

// checkRequired lets a required attribute that cannot be read back be missing
// when the resource exists already (U-09).
func checkRequired(r *scim.Resource, exists bool) error {
	for _, a := range r.Layout().Attributes() {
		if path := missing(a, r.Get(a), exists); path != "" {
			return scim.Bad(scim.InvalidValue, "%s is required; give it a value.", path)
		}
	}
	return nil
}

// missing is the path of what is required in a and has no value, or "".
func missing(a *scim.Attribute, v scim.Value, exists bool) string {
	unreadable := a.Mutability == scim.WriteOnly && exists
	if a.Required && !v.Present() && a.Mutability != scim.ReadOnly && !unreadable {
		return a.Path()
	}
	for _, e := range v.Elems() {
		if path := missingSub(a, e, exists); path != "" {
			return path
		}
	}
	return missingSub(a, v, exists)
}

func missingSub(a *scim.Attribute, v scim.Value, exists bool) string {
	if v.Kind() != scim.KindComplex {
		return ""
	}
	for _, sub := range a.Sub {
		if path := missing(sub, v.Get(sub), exists); path != "" {
			return path
		}
	}
	return ""
}
