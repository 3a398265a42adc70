package main

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern/postern/config"
	"github.com/postern/postern/rules"
)

type testCommand struct {
	source
	tenantFlag
	Tests   string `help:"A file of tests, instead of those that the configuration names." placeholder:"FILE"`
	Only    string `help:"Only tests whose name contains this." placeholder:"TEXT"`
	Verbose bool   `short:"v" help:"Name every test, and show what happened in those that failed."`
	JSON    bool   `help:"Print the results as JSON."`
	JUnit   string `name:"junit" help:"Also write the results to a file, as JUnit has them." placeholder:"FILE"`
}

// Help is printed below the summary.
func (testCommand) Help() string {
	return `Tests stand below tests: in the configuration, in a file that it names there, or in tests.yaml beside it. Each gives a record and says what a client sees of it;
or a resource, and what the backend stores; or any request. No backend is asked, and no secret is needed:

    tests:
      - record: {emp_no: 7, login: ada, status: L}
        resource: {userName: ada, active: false}
      - create: {userName: ada}
        stores: {login: ada, status: A}

What is not as it was wanted is shown where it was wanted. The exit status is 1 then.`
}

func (c testCommand) Run(ctx context.Context, m *Main) error {
	cfg, mappings, err := loadWithoutSecrets(c.file())
	if err != nil {
		return err
	}
	tests, report, err := c.find(cfg)
	if err != nil {
		return err
	}
	if cfg, mappings, err = c.as(ctx, cfg, mappings); err != nil {
		return err
	}
	t, err := newTester(ctx, cfg, mappings)
	if err != nil {
		return err
	}
	defer t.close()
	var results []result
	for i := range tests {
		if !strings.Contains(tests[i].Name.Value, c.Only) {
			continue
		}
		results = append(results, t.run(ctx, i, &tests[i], report))
	}
	if len(results) == 0 {
		return fmt.Errorf("no test of %s has %q in its name", c.file(), c.Only)
	}
	if c.JUnit != "" {
		if err := writeJUnit(c.JUnit, c.file(), results); err != nil {
			return err
		}
	}
	return c.tell(m, results)
}

// find takes the tests from where they are.
func (c testCommand) find(cfg *config.Config) ([]config.Test, *config.Reporter, error) {
	file := c.Tests
	if file == "" {
		file = cfg.Tests.File.Resolved
		if beside := filepath.Join(cfg.Dir, besideFile); file == "" && len(cfg.Tests.List) == 0 && exists(beside) {
			file = beside
		}
		if wd, err := os.Getwd(); err == nil { // shown as people would write it
			file = strings.TrimPrefix(file, wd+string(os.PathSeparator))
		}
	}
	if file != "" {
		tests, report, err := config.LoadTests(file)
		if err == nil && len(tests) == 0 {
			err = fmt.Errorf("%s holds no tests", file)
		}
		return tests, report, err
	}
	if len(cfg.Tests.List) == 0 {
		return nil, nil, fmt.Errorf("%s has no tests; docs/mapping.md shows how they are written", c.file())
	}
	return cfg.Tests.List, config.NewReporter(cfg.Report.Source), nil
}

// besideFile is where tests are looked for that the configuration does not name.
const besideFile = "tests.yaml"

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// A result is what came of a test.
type result struct {
	Name     string          `json:"name"`
	File     string          `json:"file"`
	Line     int             `json:"line"`
	Passed   bool            `json:"passed"`
	Problems config.Problems `json:"problems,omitempty"`
	shown    string          // what happened
}

func (c testCommand) tell(m *Main, results []result) error {
	failed := 0
	for _, r := range results {
		if !r.Passed {
			failed++
		}
	}
	if c.JSON {
		if err := printJSON(m.Stdout, results); err != nil {
			return err
		}
	} else {
		c.text(m, results)
	}
	verdict := fmt.Sprintf("%s, ", count(len(results), "test"))
	if failed > 0 {
		if c.JSON {
			return errFailed
		}
		fmt.Fprintf(m.Stderr, "%s%d failed.\n", verdict, failed)
		return errFailed
	}
	if !c.JSON {
		fmt.Fprintf(m.Stdout, "%sall passed.\n", verdict)
	}
	return nil
}

// errFailed ends a command with the status of a failure, when everything is said.
var errFailed = errors.New("")

func (c testCommand) text(m *Main, results []result) {
	for _, r := range results {
		if c.Verbose {
			verdict := "ok    "
			if !r.Passed {
				verdict = "FAILED"
			}
			fmt.Fprintf(m.Stdout, "%s  %s\n", verdict, r.Name)
		}
		if r.Passed {
			continue
		}
		fmt.Fprintf(m.Stderr, "%s\n", r.Problems)
		if c.Verbose {
			fmt.Fprintf(m.Stderr, "\n    %s\n\n", strings.ReplaceAll(strings.TrimSpace(r.shown), "\n", "\n    "))
		}
	}
	if slices.ContainsFunc(results, func(r result) bool { return !r.Passed }) {
		fmt.Fprintln(m.Stderr)
	}
}

// The form of JUnit that build servers read.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func writeJUnit(file, name string, results []result) error {
	s := junitSuite{Name: name, Tests: len(results)}
	for _, r := range results {
		c := junitCase{Name: r.Name, Class: name, File: r.File, Line: r.Line}
		if !r.Passed {
			s.Failures++
			c.Failure = &junitFailure{Message: r.Problems[0].Message, Text: r.Problems.Error() + "\n\n" + r.shown}
		}
		s.Cases = append(s.Cases, c)
	}
	out, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append([]byte(xml.Header), append(out, '\n')...), 0o644)
}

// resourceOf finds what a test is about.
func resourceOf(cfg *config.Config, mappings []*rules.Mapping, t *config.Test) (*config.Resource, *rules.Mapping) {
	name := t.Type.Value
	if name == "" {
		name = "User"
		if cfg.Resource(name) == nil {
			name = cfg.Resources[0].Name.Value
		}
	}
	i := slices.IndexFunc(mappings, func(m *rules.Mapping) bool { return m.Type.Name == name })
	if i < 0 {
		return nil, nil
	}
	return cfg.Resource(name), mappings[i]
}
