package main

import (
	"fmt"

	"github.com/postern/postern/gateway/auth"
)

type tokenCommand struct{}

// Help is printed below the summary.
func (tokenCommand) Help() string {
	return "The token goes to the identity provider and is shown only now; the hash goes into the configuration, " +
		"under clients: NAME: tokens. Two tokens of a client may be live at a time, so that one can be replaced without a gap."
}

func (tokenCommand) Run(m *Main) error {
	token, hash := auth.NewToken()
	fmt.Fprintf(m.Stdout, "token: %s\nhash:  %s\n", token, hash)
	return nil
}
