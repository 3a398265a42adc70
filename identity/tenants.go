package identity

import "context"

// Which tenants have something left to do, in one look.

// TenantsInJournal lists the tenants with entries in the journal.
func (s *Store) TenantsInJournal(ctx context.Context) ([]string, error) {
	x := s.reading(ctx)
	x.trace = nil // it is asked every few seconds, and belongs to no request
	names, err := x.texts(qTenantsInJournal)
	return names, s.fail("tenants", err)
}

// TenantsToKeep lists the tenants with open tasks, or with ids that wait.
func (s *Store) TenantsToKeep(ctx context.Context) ([]string, error) {
	names, err := s.reading(ctx).texts(qTenantsToKeep)
	return names, s.fail("tenants", err)
}
