package gateway

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/postern/postern/scim"
)

// mediaType is the type of every body (H-01): also of errors, and also for
// clients that accept application/json alone, whose parsers read it.
const mediaType = "application/scim+json"

// send is the one place where a response leaves. The body is whole before the
// first byte is sent, so that an error can still become the answer.
func (x *exchange) send(status int, body []byte) {
	h := x.c.Writer.Header()
	h["X-Request-Id"] = []string{x.id}
	h["Cache-Control"] = headerNoStore
	h["X-Content-Type-Options"] = headerNoSniff
	if body != nil {
		h["Content-Type"] = headerMediaType
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	x.status = status
	x.c.Writer.WriteHeader(status)
	x.c.Writer.WriteHeaderNow()
	if body != nil && x.c.Request.Method != http.MethodHead {
		x.c.Writer.Write(body) //nolint:errcheck // the client has gone; there is nobody to tell
	}
}

// The values of headers that are the same on every response. net/http reads
// them and changes nothing.
var (
	headerMediaType = []string{mediaType}
	headerNoStore   = []string{"no-store"}
	headerNoSniff   = []string{"nosniff"}
)

// write sends what fill appends to a buffer that is used again.
func (x *exchange) write(status int, fill func(dst []byte) []byte) {
	p := x.buffers.get()
	*p = fill((*p)[:0])
	x.send(status, *p)
	x.buffers.put(p)
}

// buffers are bytes to be used again. Those that one large answer has blown up
// are left to the collector.
type buffers struct{ pool sync.Pool }

const largestKept = 1 << 20

func (b *buffers) get() *[]byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, 0, 4096)
	return &p
}

func (b *buffers) put(p *[]byte) {
	if cap(*p) <= largestKept {
		b.pool.Put(p)
	}
}

// locate sets the headers that say where the resource is (H-13) and which
// version was sent (S-36).
func (x *exchange) locate(col *collection, r *scim.Resource) {
	h := x.c.Writer.Header()
	location := r.Get(col.location).String()
	if location == "" {
		location = x.urlOf(col, r.Get(col.id).String())
	}
	v := []string{location}
	h["Location"], h["Content-Location"] = v, v
	if version := r.Get(col.version).String(); version != "" {
		h["Etag"] = []string{version}
	}
}
