package main

import (
	"fmt"

	"github.com/postern/postern/gateway/auth"
)

type tokenCommand struct{}

// Help is printed below the summary.
func (tokenCommand) Help() string {
	return `The token goes to the identity provider; it is random, shown now and never again. The hash goes into the configuration:

    clients:
      entra:
        tokens:
          - {hash: "sha256:...", expires: 2027-01-31}

Two tokens of a client may be live at a time, so that one can be replaced without an interruption.`
}

func (tokenCommand) Run(m *Main) error {
	token, hash := auth.NewToken()
	fmt.Fprintf(m.Stdout, "token: %s\nhash:  %s\n", token, hash)
	return nil
}
