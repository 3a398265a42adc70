package ldap

import (
	"slices"

	"github.com/go-ldap/ldap/v3"
)

// A server is what a directory says about itself: read once, when it is first used.
type server struct {
	controls, extensions []string
	active               bool   // Active Directory, whose schema tells no matching rules
	dnAttribute          string // by which a filter finds an entry of a DN; "" if there is none
	*schema
}

// Controls and extended operations that are used where there are.
const (
	controlAssertion  = "1.3.6.1.1.12"            // RFC 4528
	controlPermissive = "1.2.840.113556.1.4.1413" // what is there already may be added
	controlMatched    = "1.2.826.0.1.3344810.2.3" // RFC 3876
	extendedPassword  = "1.3.6.1.4.1.4203.1.11.1" // RFC 3062
	activeDirectory   = "1.2.840.113556.1.4.800"
)

func (v *server) has(control string) bool { return slices.Contains(v.controls, control) }

// server answers what the directory says about itself.
func (d *Directory) server(s *session) (*server, error) {
	if v := d.known.Load(); v != nil {
		return v, nil
	}
	d.asking.Lock()
	defer d.asking.Unlock()
	if v := d.known.Load(); v != nil {
		return v, nil
	}
	v, err := s.introduce()
	if err == nil {
		d.known.Store(v)
	}
	return v, err
}

// introduce reads the root DSE and the schema (RFC 4512 sections 5.1 and 4.2).
func (s *session) introduce() (*server, error) {
	root, err := s.base("", "(objectClass=*)", []string{"supportedControl", "supportedExtension", "supportedCapabilities", "subschemaSubentry"})
	if err != nil {
		return nil, err
	}
	v := &server{schema: newSchema()}
	if root == nil {
		return v, nil
	}
	v.controls, v.extensions = root.GetEqualFoldAttributeValues("supportedControl"), root.GetEqualFoldAttributeValues("supportedExtension")
	v.active = slices.Contains(root.GetEqualFoldAttributeValues("supportedCapabilities"), activeDirectory)
	where := root.GetEqualFoldAttributeValue("subschemaSubentry")
	if where == "" {
		return v, nil
	}
	sub, err := s.base(where, "(objectClass=subschema)", []string{"attributeTypes", "objectClasses", "dITContentRules"})
	if err != nil && code(err) != ldap.LDAPResultInsufficientAccessRights && code(err) != ldap.LDAPResultNoSuchObject {
		return nil, err
	}
	if sub != nil {
		v.read(sub.GetEqualFoldAttributeValues("attributeTypes"), sub.GetEqualFoldAttributeValues("objectClasses"), v.active)
		v.allow(sub.GetEqualFoldAttributeValues("dITContentRules"))
	}
	for _, name := range []string{"entryDN", "distinguishedName"} {
		if v.dnAttribute == "" && v.attribute(name) != nil && (v.active || name == "entryDN") {
			v.dnAttribute = name
		}
	}
	return v, nil
}

// base reads one entry; nil if there is none.
func (s *session) base(dn, filter string, attributes []string) (*ldap.Entry, error) {
	res, err := s.ask(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil), "base", dn, filter)
	switch {
	case code(err) == ldap.LDAPResultNoSuchObject && err != nil:
		return nil, nil
	case err != nil:
		return nil, err
	case len(res.Entries) == 0:
		return nil, nil
	}
	return res.Entries[0], nil
}
