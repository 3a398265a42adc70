package config

import (
	"net"
	"net/url"
	"strings"
)

// An LDAPBackend is a directory.
type LDAPBackend struct {
	URL       Text
	StartTLS  Bool
	Bind      *Bind
	TLS       ClientTLS
	Base      Text
	Proof     Text
	Passwords Text
	Referrals Text
	Page      Int
}

// A Bind is the name and the password of an entry.
type Bind struct {
	DN       Text
	Password Secret
}

// An LDAPTarget is one kind of entry.
type LDAPTarget struct {
	Base        Text
	Subtree     Bool
	Classes     []Text
	Auxiliary   []Text
	Container   Text
	RDN         Text
	Generated   Bool
	Placeholder Text
	By          []Pair // field to the attribute that its values are
	Reverse     []Pair // field to the attribute of the others
}

func ldapBackend() []key[Backend] {
	type B = Backend
	return []key[B]{
		field("url", ldapURL(), func(b *B) *Text { return &b.LDAP.URL }).required().like("ldaps://ldap.example.com").
			says("Where the directory is: `ldaps://host:636`, or `ldap://host:389`."),
		field("startTLS", boolean(), func(b *B) *Bool { return &b.LDAP.StartTLS }).or("false").
			says("Whether to begin TLS on an `ldap://` connection."),
		field("bind", optional(bind()), func(b *B) **Bind { return &b.LDAP.Bind }).like(`{dn: "cn=postern,dc=example,dc=com", password: "${env:LDAP_PASSWORD}"}`).
			says("The entry that Postern binds as. Default: the client certificate, if there is one, or nobody."),
		field("tls", clientTLS(), func(b *B) *ClientTLS { return &b.LDAP.TLS }).or("{}").says("A private authority, and a certificate to show."),
		field("base", text(), func(b *B) *Text { return &b.LDAP.Base }).like(`"dc=example,dc=com"`).
			says("A DN that is the end of those of all targets."),
		field("proof", text(), func(b *B) *Text { return &b.LDAP.Proof }).like(`"uid=postern,ou=people,dc=example,dc=com"`).
			says("The DN of an entry that Postern must see. Before it is believed that nothing is there, it is looked for: a credential that has lost its rights sees an empty directory."),
		field("passwords", choice("extended", "ssha", "plain"), func(b *B) *Text { return &b.LDAP.Passwords }).or("extended").
			says("How `userPassword` is written: by the extended operation of RFC 3062, where the server has it; as salted SHA-1; or as it is, for servers that hash what they are given."),
		field("referrals", choice("fail", "ignore"), func(b *B) *Text { return &b.LDAP.Referrals }).or("fail").
			says("What to do where a part of the tree is on another server: fail, or pass it over. Referrals are never followed."),
		field("page", integer(1, 100_000), func(b *B) *Int { return &b.LDAP.Page }).or("500").says("How many entries one answer holds."),
	}
}

func bind() form[Bind] {
	return block[Bind]{title: "bind", doc: "A simple bind (RFC 4513 section 5.1).", keys: []key[Bind]{
		field("dn", text(), func(b *Bind) *Text { return &b.DN }).required().like(`"cn=postern,dc=example,dc=com"`).says("The entry."),
		field("password", secret(nil), func(b *Bind) *Secret { return &b.Password }).required().like(`"${env:LDAP_PASSWORD}"`).says("Its password."),
	}}.form()
}

func ldapTarget() []key[Target] {
	type T = Target
	return []key[T]{
		field("base", text(), func(t *T) *Text { return &t.LDAP.Base }).like("ou=people").
			says("Where the entries are: a DN that ends before the backend's `base`. Default: that base."),
		field("subtree", boolean(), func(t *T) *Bool { return &t.LDAP.Subtree }).or("true").
			says("Whether entries at any depth below the base count, or only those directly below it."),
		field("classes", oneOrMore(text()), func(t *T) *[]Text { return &t.LDAP.Classes }).required().like("inetOrgPerson").
			says("The object classes that every entry has. Others are not seen, and new entries get them."),
		field("auxiliary", oneOrMore(text()), func(t *T) *[]Text { return &t.LDAP.Auxiliary }).like("posixAccount").
			says("Further classes, that new entries get, and others when an attribute is added to them."),
		field("container", text(), func(t *T) *Text { return &t.LDAP.Container }).like("ou=new,ou=people").
			says("Where new entries go. Default: the base."),
		field("rdn", text(), func(t *T) *Text { return &t.LDAP.RDN }).required().like("uid").
			says("What an entry is called below its parent: an attribute, or a template such as `cn={givenName} {sn}`; `{uuid}` is a random one. When what it is made of changes, the entry is renamed."),
		field("generated", boolean(), func(t *T) *Bool { return &t.LDAP.Generated }).
			says("Whether the directory makes the key of a new entry. Default: it does unless an attribute is mapped to the key."),
		field("placeholder", text(), func(t *T) *Text { return &t.LDAP.Placeholder }).like("cn=nobody").
			says("The DN that stands for nobody in a group that must have a member (`groupOfNames`). Clients do not see it."),
		field("by", namedTexts("attribute"), func(t *T) *[]Pair { return &t.LDAP.By }).like("{memberUid: uid}").
			says("Attributes whose values name other entries by one of their attributes, not by DN."),
		field("reverse", namedTexts("field"), func(t *T) *[]Pair { return &t.LDAP.Reverse }).like("{groups: member}").
			says("Fields that are worked out: those entries of the type referred to whose attribute names this one. For directories without `memberOf`."),
	}
}

func namedTexts(word string) form[[]Pair] {
	return named(word, inside(text(), func(p *Pair) *Text { return &p.Value }), anyName, func(p *Pair) *Text { return &p.Name })
}

// ldapURL is where a directory is.
func ldapURL() form[Text] {
	return textForm(&shape{word: "URL", types: []string{"string"}, match: "^ldaps?://"}, func(s string) (string, string) {
		const like = "as in ldaps://ldap.example.com or ldap://127.0.0.1:389"
		u, err := url.Parse(s)
		switch {
		case err != nil, u.Scheme != "ldap" && u.Scheme != "ldaps" || u.Hostname() == "":
			return quoted(s) + " is no ldap or ldaps URL", like
		case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
			return "only the host and the port belong here", "the base has a key of its own"
		}
		return "", ""
	})
}

// checkLDAP finds what one directory can say about itself.
func (r *reader) checkLDAP(b *Backend) {
	l := &b.LDAP
	u, err := url.Parse(l.URL.Value)
	if b.Type.Value != "ldap" || err != nil || !l.URL.IsSet() {
		return
	}
	if u.Scheme == "ldaps" && l.StartTLS.Value {
		r.report.Errorf(l.URL, "delete startTLS, or write ldap://", "an ldaps URL is TLS from the start")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "ldap" && !l.StartTLS.Value && l.Bind != nil && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		r.report.Warnf(l.URL, "write ldaps://, or startTLS: true", "the password of the bind goes over the network in clear text")
	}
	if (l.TLS.Cert.IsSet()) != (l.TLS.Key.IsSet()) {
		r.report.Errorf(b.Name, "name both cert and key", "backend %s has a certificate without its key, or the other way round", b.Name.Value)
	}
}

// checkLDAPTarget finds what stands against another key.
func (r *reader) checkLDAPTarget(c *Config, t *Target) {
	b := c.Backend(t.Backend.Value)
	if b == nil || b.Type.Value != "ldap" {
		return
	}
	if len(t.Key) > 1 {
		r.report.Errorf(t.Key[1], "an entry has one key: entryUUID, objectGUID, dn, or an attribute", "a directory has no keys of several fields")
	}
	if !t.LDAP.Base.IsSet() && !b.LDAP.Base.IsSet() {
		r.report.Errorf(t.Backend, `as in base: "ou=people,dc=example,dc=com"`, "neither the target nor its backend has a base")
	}
	for _, class := range t.LDAP.Classes {
		never := strings.EqualFold(class.Value, "groupOfNames") || strings.EqualFold(class.Value, "groupOfUniqueNames")
		if never && !t.LDAP.Placeholder.IsSet() {
			r.report.Warnf(class, "add placeholder: cn=nobody", "a %s must have a member: no group can be made, or become, empty", class.Value)
		}
	}
}
