package ldap_test

import (
	"net"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	goldap "github.com/go-ldap/ldap/v3"
)

// Limits of Microsoft's servers that Samba's has not.
const (
	maxPageSize = 1000
	maxValRange = "member;range=0-1499"
)

// microsoft is a server that passes everything on to another, with Microsoft's limits: no
// answer has more than a thousand entries, and of more than 1,500 members only the first
// are told, as the range that they are. Samba does the same for whoever asks for it.
func microsoft(t testing.TB, url string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go limited(c, strings.TrimPrefix(url, "ldap://")+":389")
		}
	}()
	return "ldap://" + l.Addr().String()
}

func limited(c net.Conn, address string) {
	defer c.Close()
	s, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer s.Close()
	go func() {
		defer c.Close()
		for {
			p, err := ber.ReadPacket(s)
			if err != nil {
				return
			}
			if _, err := c.Write(p.Bytes()); err != nil {
				return
			}
		}
	}()
	for {
		p, err := ber.ReadPacket(c)
		if err != nil {
			return
		}
		if p.Children[1].Tag == goldap.ApplicationSearchRequest {
			p = limit(p)
		}
		if _, err := s.Write(p.Bytes()); err != nil {
			return
		}
	}
}

// limit makes a search one that Samba answers as Microsoft's server would.
func limit(p *ber.Packet) *ber.Packet {
	search := ber.Encode(ber.ClassApplication, ber.TypeConstructed, goldap.ApplicationSearchRequest, nil, "")
	for _, part := range p.Children[1].Children[:7] {
		search.AppendChild(part)
	}
	names := ber.NewSequence("attributes")
	for _, name := range p.Children[1].Children[7].Children {
		s := string(name.ByteValue)
		if s == "member" {
			s = maxValRange
		}
		names.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, ""))
	}
	search.AppendChild(names)
	out := ber.NewSequence("message")
	out.AppendChild(p.Children[0])
	out.AppendChild(search)
	if len(p.Children) > 2 {
		controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "controls")
		for _, control := range p.Children[2].Children {
			if c, err := goldap.DecodeControl(control); err == nil {
				if paging, ok := c.(*goldap.ControlPaging); ok {
					paging.PagingSize = min(paging.PagingSize, maxPageSize)
					control = paging.Encode()
				}
			}
			controls.AppendChild(control)
		}
		out.AppendChild(controls)
	}
	return out
}
