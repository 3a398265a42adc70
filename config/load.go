package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Load reads a configuration file. Like Parse, it may return both a Config and
// Problems.
func Load(path string) (*Config, error) { return load(path, false) }

// LoadWithoutSecrets is Load where no backend will be asked: secrets that are not
// there are replaced by values of their form.
func LoadWithoutSecrets(path string) (*Config, error) { return load(path, true) }

func load(path string, standIns bool) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return parse(path, data, &reader{env: os.LookupEnv, standIns: standIns})
}

// Parse reads a configuration. The file names it in messages, and its folder is
// where relative paths start; env looks up environment variables.
//
// The error is Problems, warnings included. The Config beside an error holds what
// could be read: it serves to find further problems, and must not be run. It is
// nil if the file is no YAML.
func Parse(file string, data []byte, env func(string) (string, bool)) (*Config, error) {
	return parse(file, data, &reader{env: env})
}

func parse(file string, data []byte, r *reader) (*Config, error) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	report := NewReporter(NewSource(file, data))
	tree := parseTree(data, report)
	if tree == nil {
		return nil, report.Problems()
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("find the folder of %s: %w", file, err)
	}
	r.report, r.dir, r.kinds = report, dir, make(map[string]string)
	c := r.config(file, tree)
	return c, report.Err()
}
