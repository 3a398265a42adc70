package ldap_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters/ldap"
)

// A fake is a server that misbehaves as a test wants it to.
type fake struct {
	t    testing.TB
	url  string
	mu   sync.Mutex
	seen []string // of each request: its kind, and of a search the base

	// answer gives what is sent for a request; nil: nothing is sent.
	answer func(f *fake, kind ber.Tag, r request) []*ber.Packet
	lives  int // requests that a connection answers before it is closed; 0: all
}

// A request is what a fake is told.
type request struct {
	base, filter string
	attributes   []string
}

func pretend(t testing.TB, answer func(*fake, ber.Tag, request) []*ber.Packet, lives ...int) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, url: "ldap://" + l.Addr().String(), answer: answer}
	for _, n := range lives {
		f.lives = n
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f.serve(c)
		}
	}()
	return f
}

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	for n := 1; f.lives == 0 || n <= f.lives; n++ {
		p, err := ber.ReadPacket(c)
		if err != nil || len(p.Children) < 2 {
			return
		}
		for _, out := range f.respond(p.Children[1]) {
			m := ber.NewSequence("message")
			m.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, p.Children[0].Value, "id"))
			m.AppendChild(out)
			if _, err := c.Write(m.Bytes()); err != nil {
				return
			}
		}
	}
}

func (f *fake) respond(op *ber.Packet) []*ber.Packet {
	var r request
	if op.Tag == goldap.ApplicationSearchRequest {
		r.base = string(op.Children[0].ByteValue)
		r.filter, _ = goldap.DecompileFilter(op.Children[6])
		for _, a := range op.Children[7].Children {
			r.attributes = append(r.attributes, string(a.ByteValue))
		}
	}
	f.mu.Lock()
	f.seen = append(f.seen, strings.TrimSpace(goldap.ApplicationMap[uint8(op.Tag)]+" "+r.base))
	f.mu.Unlock()
	switch {
	case op.Tag == goldap.ApplicationBindRequest:
		return []*ber.Packet{result(goldap.ApplicationBindResponse, 0)}
	case op.Tag == goldap.ApplicationSearchRequest && r.base == "":
		return []*ber.Packet{entry("", "subschemaSubentry", "cn=schema"), result(goldap.ApplicationSearchResultDone, 0)}
	case op.Tag == goldap.ApplicationSearchRequest && r.base == "cn=schema":
		return []*ber.Packet{entry("cn=schema", "attributeTypes", "( 1 NAME 'uid' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )"),
			result(goldap.ApplicationSearchResultDone, 0)}
	}
	return f.answer(f, op.Tag, r)
}

// result is the end of an answer.
func result(tag ber.Tag, code int) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, code, ""))
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", ""))
	return p
}

func done(code int) *ber.Packet { return result(goldap.ApplicationSearchResultDone, code) }

// entry is an entry of names and values in turn.
func entry(dn string, pairs ...string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationSearchResultEntry, nil, "")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, dn, ""))
	list := ber.NewSequence("")
	for i := 0; i < len(pairs); i += 2 {
		a := ber.NewSequence("")
		a.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, pairs[i], ""))
		set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
		for _, v := range strings.Split(pairs[i+1], ";") {
			set.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, v, ""))
		}
		a.AppendChild(set)
		list.AppendChild(a)
	}
	p.AppendChild(list)
	return p
}

// referral says that a part of the tree is elsewhere.
func referral(url string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationSearchResultReference, nil, "")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, url, ""))
	return p
}

// people is the branch of the tests: uid is the key.
func (f *fake) people(fields []string, options ...func(*ldap.Config)) *ldap.Adapter {
	f.t.Helper()
	cfg := ldap.Config{URL: f.url, BindDN: "cn=x", Password: "x", Base: "dc=x"}
	for _, o := range options {
		o(&cfg)
	}
	d, err := ldap.Open(cfg)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = d.Close() })
	to := ldap.Entries{Subtree: true, Classes: []string{"person"}, Key: "uid"}
	return branch(f.t, d, ldap.Target{Entries: to, RDN: "uid", Given: true, Lists: []string{"member"},
		References: []ldap.Reference{{Field: "member", To: &to}}}, fields...)
}
