package provision_test

import (
	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/memory"
)

type restriction = []func(*adapters.Capabilities)

// What a backend may be unable to do.
var (
	noFilters = restriction{memory.NoFilters}
	onlyEq    = restriction{memory.OnlyEq}
	noSort    = restriction{memory.NoSort}
	noTotal   = restriction{memory.NoTotal}
	noOffset  = restriction{memory.CursorOnly}
	noDelta   = restriction{memory.NoDelta}
	noOrNot   = restriction{func(c *adapters.Capabilities) { c.Or, c.Not = false, false }}
)
