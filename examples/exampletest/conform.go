package exampletest

import (
	"bytes"
	"errors"
	"os/exec"
)

// Conform lets postern conform examine the gateway. The arguments say what the
// application demands of users and groups, and which checks are not for it.
func (g *Gateway) Conform(arguments ...string) {
	g.t.Helper()
	var out, log bytes.Buffer
	cmd := exec.CommandContext(g.t.Context(), g.program, append([]string{"conform", g.base, "--token", token, "--strict"}, arguments...)...)
	cmd.Stdout, cmd.Stderr = &out, &log
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		g.t.Errorf("postern conform:\n%s%s", log.String(), out.String())
	case err != nil:
		g.t.Fatal(err)
	default:
		g.t.Log("postern conform:", last(out.String(), 1))
	}
}
