package command_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the path of testdata/program, built.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "command")
	if err == nil {
		program = filepath.Join(dir, "program")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", program, "./testdata/program").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	status := 1
	if err == nil {
		status = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	_ = os.RemoveAll(dir)
	os.Exit(status)
}
