package scim

import "time"

// Clock makes a backend tell the time by another clock.
func (b *Backend) Clock(now func() time.Time) { b.now = now }
