package command

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/postern/postern/adapters/steps"
)

// A Backend is one program. Open makes it; its methods may be called from many
// goroutines.
type Backend struct {
	cfg    Config
	path   string
	env    []string
	turns  chan struct{} // one for every process that may run
	proof  *steps.Proof  // nil: nothing to prove
	locks  steps.KindLocks
	values map[string]any
}

const (
	defaultSize      = 16 << 20
	defaultProcesses = 8
)

// inherited is what a program sees of Postern's own environment. Secrets of Postern
// are in others.
var inherited = []string{"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SYSTEMROOT"}

// Open finds the program; it starts nothing. Problems are mistakes in the texts.
func Open(cfg Config) (*Backend, []steps.Problem, error) {
	path, err := exec.LookPath(cfg.Program)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the program cannot be run: %w", plainly(err))
	}
	if info, err := os.Stat(cfg.Directory); cfg.Directory != "" && (err != nil || !info.IsDir()) {
		return nil, nil, errors.New("there is no such directory for it to run in")
	}
	if cfg.Size == 0 {
		cfg.Size = defaultSize
	}
	if cfg.Processes == 0 {
		cfg.Processes = defaultProcesses
	}
	b := &Backend{cfg: cfg, path: path, env: environment(cfg.Environment), turns: make(chan struct{}, cfg.Processes)}
	secrets := map[string]any{}
	for name, v := range cfg.Secrets {
		secrets[name] = v
	}
	b.values = map[string]any{"secret": secrets}
	maps.Copy(b.values, cfg.Values)
	var c steps.Compiler
	if p := cfg.Probe; p != nil {
		roots := answerRoots.With(cfg.Values)
		op := steps.CompileSteps(&c, b.tongue(), "probe", roots, []Step{p.Step})
		b.proof = steps.NewProof(op[0], c.Expr(p.Expect, roots), p.Every, b.values)
	}
	return b, c.Problems, nil
}

// plainly is the cause alone: the configuration's line says which file.
func plainly(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	if e := (*exec.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

func environment(own map[string]string) []string {
	all := map[string]string{}
	for _, name := range inherited {
		if v, ok := os.LookupEnv(name); ok {
			all[name] = v
		}
	}
	maps.Copy(all, own)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, name+"="+all[name])
	}
	return out
}

// New compiles a target and makes its adapter.
func (b *Backend) New(t Target) (*steps.Adapter, []steps.Problem) {
	o, problems := steps.Compile(b.tongue(), t)
	if len(problems) > 0 {
		return nil, problems
	}
	if b.proof != nil {
		o.Probe, o.Believe = b.proof.Ask, b.proof.Ask
	} else if o.List != nil {
		o.Probe = steps.Reacher(o.List, b.values)
	}
	return steps.New(o), nil
}
