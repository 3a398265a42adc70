package identity

import (
	"context"
	"crypto/rand"
)

// secretBytes is the length of a secret: a key of AES-256.
const secretBytes = 32

// Secret is the random key with that name, which all nodes of this table share.
// It is made by whoever asks first.
func (s *Store) Secret(ctx context.Context, name string) (secret []byte, err error) {
	fresh := make([]byte, secretBytes)
	rand.Read(fresh) // never fails
	err = s.write(ctx, "secret", func(x *session) error {
		if _, err := x.exec(qMakeSecret, name, fresh); err != nil {
			return err
		}
		return x.each(qSecret, []any{name}, func(scan func(...any) error) error { return scan(&secret) })
	})
	return secret, err
}
