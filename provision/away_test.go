package provision

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/postern/postern/identity"
	"github.com/postern/postern/scim"
)

// TestTableAway: what the mapping table does not answer passes, and the log says why.
func TestTableAway(t *testing.T) {
	for _, kind := range []error{identity.ErrAway, identity.ErrUnsure} {
		var log bytes.Buffer
		s := &Service{log: slog.New(slog.NewTextHandler(&log, nil))}
		var se *scim.Error
		err := s.fail(t.Context(), nil, fmt.Errorf("%w (the disk is full)", kind))
		if !errors.As(err, &se) || se.Status != 503 || se.RetryAfter == 0 || strings.Contains(se.Detail, "full") || !strings.Contains(log.String(), "the disk is full") {
			t.Errorf("%v: %+v; the log: %s", kind, se, &log)
		}
	}
}
