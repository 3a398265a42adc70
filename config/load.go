package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Load reads a configuration file. Like Parse, it may return both a Config and
// Problems.
func Load(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return Parse(path, data, os.LookupEnv)
}

// Parse reads a configuration. The file names it in messages, and its folder is
// where relative paths start; env looks up environment variables.
//
// The error is Problems, warnings included. The Config beside an error holds what
// could be read: it serves to find further problems, and must not be run. It is
// nil if the file is no YAML.
func Parse(file string, data []byte, env func(string) (string, bool)) (*Config, error) {
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
	r := &reader{report: report, env: env, dir: dir, kinds: make(map[string]string)}
	c := r.config(file, tree)
	return c, report.Err()
}
