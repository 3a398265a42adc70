package gateway

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/postern/postern/scim"
)

func bulkBody(ops ...string) string {
	return `{"schemas":["` + scim.BulkRequestMessage + `"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

// TestBulkTenThousand: B-22, memory is bounded by the request's size.
func TestBulkTenThousand(t *testing.T) {
	const n = 10_000
	r := newRig(t, func(o *Options) {
		o.Limits.BulkOperations, o.Limits.BulkBody, o.Limits.Time = n, 16<<20, 10*time.Minute
	})
	ops := make([]string, n)
	for i := range ops {
		ops[i] = fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"b%d","data":%s}`, i, strings.Replace(bjensen, "bjensen", fmt.Sprintf("u%d", i), 1))
	}
	body := bulkBody(ops...)
	peak := make(chan uint64)
	ctx, stop := context.WithCancel(t.Context())
	go watchHeap(ctx, peak)
	a := r.do("POST", "/Bulk", body)
	stop()
	r.want(a, 200)
	if got := strings.Count(a.body, `"status":"201"`); got != n || len(r.shelf.items) != n {
		t.Errorf("B-22: %d of %d", got, n)
	}
	// The resources themselves stay in the shelf; a few times the body is for the rest.
	if most := uint64(100<<20 + 12*len(body)); <-peak > most {
		t.Errorf("B-22: more than %d MiB at once", most>>20)
	}
}

func watchHeap(ctx context.Context, peak chan<- uint64) {
	var most uint64
	for ctx.Err() == nil {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
		time.Sleep(20 * time.Millisecond)
	}
	peak <- most
}

// TestBulkTime: what there is no time for is said to be undone, and what was done
// is reported.
func TestBulkTime(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Time = 2 * time.Second })
	id := r.create("bjensen")
	r.shelf.hook = func(ctx context.Context) error {
		time.Sleep(200 * time.Millisecond)
		return nil
	}
	put := `{"method":"PUT","path":"/Users/` + id + `","data":` + bjensen + `}`
	a := r.do("POST", "/Bulk", bulkBody(strings.Split(strings.Repeat(put+"\n", 20), "\n")[:20]...))
	r.want(a, 200)
	done, late := strings.Count(a.body, `"status":"200"`), strings.Count(a.body, `"status":"503"`)
	if done == 0 || late == 0 || done+late < 20 {
		t.Errorf("%d done, %d late: %s", done, late, a.body)
	}
}
