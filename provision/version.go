package provision

import (
	"slices"

	"github.com/postern/postern/rules"
	"github.com/postern/postern/scim"
)

// A Condition is what If-Match and If-None-Match ask of the version that a
// resource has (RFC 9110 section 13.1, RFC 7644 section 3.14). The zero value
// asks nothing.
type Condition struct {
	Match, NoneMatch []Tag
}

// A Tag is one entity tag of a condition.
type Tag struct {
	Opaque string // with its quotes; "*" for any
	Weak   bool
}

// Given reports whether anything is asked.
func (c Condition) Given() bool { return len(c.Match)+len(c.NoneMatch) > 0 }

// needsVersion reports whether the version must be known to answer.
func (c Condition) needsVersion() bool {
	named := func(t Tag) bool { return t.Opaque != "*" }
	return slices.ContainsFunc(c.Match, named) || slices.ContainsFunc(c.NoneMatch, named)
}

// Holds reports whether If-Match holds of a resource that is there. The
// comparison is strong: a weak tag never matches (V-04).
func (c Condition) Holds(version string) bool {
	return len(c.Match) == 0 || slices.ContainsFunc(c.Match, func(t Tag) bool {
		return t.Opaque == "*" || !t.Weak && t.Opaque == version
	})
}

// Known reports whether If-None-Match names the version, so that there is nothing
// new to tell. The comparison is weak (V-05).
func (c Condition) Known(version string) bool {
	return slices.ContainsFunc(c.NoneMatch, func(t Tag) bool { return t.Opaque == "*" || t.Opaque == version })
}

// permit answers 412 if a change must not be made of a resource with this version.
func (c Condition) permit(t *target, version string) error {
	switch {
	case !c.Holds(version):
		return scim.Errorf(412, "", "The %s has changed since this version; read it again, and send its ETag in If-Match.", t.name)
	case c.Known(version):
		return scim.Errorf(412, "", "The %s is there in the version that If-None-Match excludes.", t.name)
	}
	return nil
}

// stamp gives resources their versions, if all that a version is made of was read.
func (t *target) stamp(p *rules.Plan, resources ...*scim.Resource) {
	if t.whole == nil || !p.Covers(t.standard) {
		return
	}
	version := t.Mapping.Type.Layout.Meta.Find("version")
	for _, r := range resources {
		if !r.Get(r.Layout().Meta).Get(version).Present() {
			r.Put(version, scim.Str(scim.Version(r, t.whole)))
		}
	}
}

func versionOf(r *scim.Resource) string {
	meta := r.Layout().Meta
	return r.Get(meta).Get(meta.Find("version")).String()
}

// wholeOf is what the version of a target's resources is made of: all that a client
// may see, but for what is returned on request only and costs a further read.
func wholeOf(t *target) *scim.Selection {
	costly := map[*scim.Attribute]bool{}
	for _, r := range t.Mapping.Rules() {
		if a := r.Attribute(); r.Costly() && a.Returned == scim.ReturnedRequest {
			costly[a] = true
		}
	}
	return t.Mapping.Type.Layout.Readable(func(a *scim.Attribute) bool { return costly[a] })
}
