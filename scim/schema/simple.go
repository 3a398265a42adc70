package schema

import (
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/postern/postern/scim"
)

// simple reads a value of one of the types of RFC 7643 section 2.3 that are not
// complex.
func (p *parser) simple(a *scim.Attribute, n scim.Node) (scim.Value, error) {
	switch a.Type {
	case scim.TypeBoolean:
		return p.boolean(n)
	case scim.TypeInteger:
		return integer(n)
	case scim.TypeDecimal:
		return decimal(n)
	}
	if n.Kind != scim.NodeString {
		return scim.Value{}, invalid("expected a string, found %s", n.Kind)
	}
	if n.Str == "" { // P-55
		return scim.Value{}, nil
	}
	if !utf8.ValidString(n.Str) {
		return scim.Value{}, invalid("the text is not valid UTF-8")
	}
	switch a.Type {
	case scim.TypeDateTime:
		s, ok := normalDateTime(n.Str)
		if !ok {
			return scim.Value{}, invalid("expected a dateTime such as 2024-01-31T08:30:00Z, found %s", found(a, n))
		}
		return scim.Str(s), nil
	case scim.TypeBinary:
		return binary(a, n)
	case scim.TypeReference:
		return reference(a, n)
	}
	return text(a, n)
}

func (p *parser) boolean(n scim.Node) (scim.Value, error) {
	switch {
	case n.Kind == scim.NodeBool:
		return scim.Bool(n.IsTrue()), nil
	case n.Kind == scim.NodeString && !p.StrictBooleans && strings.EqualFold(n.Str, "true"): // P-58
		return scim.Bool(true), nil
	case n.Kind == scim.NodeString && !p.StrictBooleans && strings.EqualFold(n.Str, "false"):
		return scim.Bool(false), nil
	}
	return scim.Value{}, invalid("expected true or false, found %s", n.Kind)
}

func integer(n scim.Node) (scim.Value, error) {
	if n.Kind != scim.NodeNumber {
		return scim.Value{}, invalid("expected an integer, found %s", n.Kind)
	}
	i, err := strconv.ParseInt(n.Str, 10, 64)
	if err != nil {
		return scim.Value{}, invalid("expected an integer of at most 64 bits, without fraction or exponent")
	}
	return scim.Int(i), nil
}

// Bounds for decimals, within which comparing two of them is cheap.
const (
	maxDecimalText     = 64
	maxDecimalExponent = 400
)

func decimal(n scim.Node) (scim.Value, error) {
	if n.Kind != scim.NodeNumber {
		return scim.Value{}, invalid("expected a number, found %s", n.Kind)
	}
	exp := 0
	if i := strings.IndexAny(n.Str, "eE"); i >= 0 {
		e, err := strconv.Atoi(n.Str[i+1:])
		if err != nil {
			e = maxDecimalExponent + 1
		}
		exp = max(e, -e)
	}
	if len(n.Str) > maxDecimalText || exp > maxDecimalExponent {
		return scim.Value{}, invalid("the number is too long; at most %d characters and an exponent of %d are stored faithfully",
			maxDecimalText, maxDecimalExponent)
	}
	return scim.Decimal(n.Str), nil
}

func text(a *scim.Attribute, n scim.Node) (scim.Value, error) {
	s := n.Str
	if a.Required && strings.TrimSpace(s) == "" {
		return scim.Value{}, invalid("the value must not be blank")
	}
	if i := strings.IndexFunc(s, forbidden); i >= 0 {
		r, _ := utf8.DecodeRuneInString(s[i:])
		return scim.Value{}, invalid("the text holds the control character %U; leave it out", r)
	}
	if !hardwareAddress(a, s) {
		return scim.Value{}, invalid("expected an address as pairs of hexadecimal digits with colons, such as 2c:54:91:88:c9:e2; found %s", found(a, n))
	}
	if c, ok := canonical(a, s); ok {
		return scim.Str(c), nil
	}
	if a.EnforceCanonical && len(a.CanonicalValues) > 0 { // S-05
		return scim.Value{}, invalid("expected one of %s; found %s", strings.Join(a.CanonicalValues, ", "), found(a, n))
	}
	return scim.Str(s), nil
}

// forbidden are control characters but for those that lay out an address.
func forbidden(r rune) bool {
	return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r'
}

// canonical is the spelling of a canonical value (S-20).
func canonical(a *scim.Attribute, s string) (string, bool) {
	for _, c := range a.CanonicalValues {
		if c == s || (!a.CaseExact && strings.EqualFold(c, s)) {
			return c, true
		}
	}
	return "", false
}

// binary checks base64 and gives it one spelling, so that values compare by
// bytes (S-11).
func binary(a *scim.Attribute, n scim.Node) (scim.Value, error) {
	raw, err := decodeBase64(n.Str)
	if err != nil {
		return scim.Value{}, invalid("expected base64 in the standard alphabet, found %s", found(a, n))
	}
	if len(raw) == 0 {
		return scim.Value{}, nil
	}
	if isCertificate(a) && !oneDER(raw) {
		return scim.Value{}, invalid("expected exactly one DER certificate in base64; send a chain as several values")
	}
	return scim.Str(base64.StdEncoding.EncodeToString(raw)), nil
}

// normalBase64 is the spelling in which binary values are stored.
func normalBase64(s string) (string, bool) {
	raw, err := decodeBase64(s)
	return base64.StdEncoding.EncodeToString(raw), err == nil
}

// decodeBase64 takes base64 with its padding or without, and with line breaks.
func decodeBase64(s string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "=\r\n"))
}

func isCertificate(a *scim.Attribute) bool {
	p := a.Parent()
	return a.Schema() == scim.UserSchema && p != nil && p.Name == "x509Certificates"
}

func oneDER(raw []byte) bool {
	var seq asn1.RawValue
	rest, err := asn1.Unmarshal(raw, &seq)
	return err == nil && len(rest) == 0 && seq.Tag == asn1.TagSequence
}

// reference checks for a URI (S-12). What clients send as $ref is replaced by
// the server's own and therefore not looked at.
func reference(a *scim.Attribute, n scim.Node) (scim.Value, error) {
	if a.Name == "$ref" {
		return text(a, n)
	}
	bad := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	if _, err := url.Parse(n.Str); err != nil || strings.ContainsFunc(n.Str, bad) {
		return scim.Value{}, invalid("expected a URI, without spaces, found %s", found(a, n))
	}
	return scim.Str(n.Str), nil
}

// found quotes what the client sent, but never a secret.
func found(a *scim.Attribute, n scim.Node) string {
	const most = 40
	for at := a; at != nil; at = at.Parent() {
		if at.Mutability == scim.WriteOnly || at.Returned == scim.ReturnedNever {
			return "something else"
		}
	}
	s := n.Str
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
