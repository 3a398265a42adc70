package schema

// Options are the points on which servers of RFC 7643 differ. The zero value is
// what most clients need: strict about types, tolerant about what is unknown.
type Options struct {
	// Reject refuses attributes and schema URIs that are not served here with 400
	// invalidSyntax, where the default is to ignore them (S-39, J6).
	Reject bool
	// InferSchemas accepts a body without schemas, or without the base schema's
	// URN, where the default is 400 invalidSyntax (C-08).
	InferSchemas bool
	// StrictBooleans refuses "True" and "False" in quotes (P-58).
	StrictBooleans bool
	// Replace says that the body replaces a resource (PUT), so that a required
	// attribute which cannot be read back may be left out (U-09).
	Replace bool
	// Warn, if set, is told what was ignored. Its texts are for the log and hold
	// names, never values.
	Warn func(text string)
}
