package auth

// A Refusal is why a request was not authenticated, in the words that the door
// answers with: a status, a detail for people, and the challenge for the
// WWW-Authenticate header (RFC 6750 section 3).
type Refusal struct {
	Status    int
	Detail    string
	Challenge string
}

func (r *Refusal) Error() string { return r.Detail }

// refuse makes a Refusal. The code is left out of the challenge when no
// credentials of this scheme were sent (T-03).
func (b *Bearer) refuse(status int, code, detail string) *Refusal {
	challenge := `Bearer realm="` + b.realm + `"`
	if code != "" {
		challenge += `, error="` + code + `"`
	}
	return &Refusal{Status: status, Detail: detail, Challenge: challenge}
}
