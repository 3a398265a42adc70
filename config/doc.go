// Package config loads Postern's one YAML file. Everything about the file is
// said once, in the spec (the files whose names begin with spec_): the keys, how
// each value is written, defaults, examples and what they mean. The parser, the
// complaints about unknown keys, docs/configuration.md and schema.json all come
// from it.
//
// Every scalar keeps its line and column, and all problems are reported at once,
// each with the source line, a caret, the nearest right name and a hint. What
// only other rooms can judge (expressions, SCIM paths) is left to them: they
// find their problems later and put them into the same Reporter.
//
// The package imports nothing else of Postern, and no other package than the
// wiring in cmd/postern imports it.
package config

//go:generate go test -run TestGenerated -update .
