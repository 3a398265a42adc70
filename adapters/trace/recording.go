package trace

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/postern/postern/adapters"
)

// Version is the form of recordings that this package writes and reads.
const Version = 1

// A Recording is one request, with all that backends answered to it.
type Recording struct {
	Postern int     `json:"postern"` // Version
	Request Request `json:"request"`
	IDs     []ID    `json:"ids,omitempty"`
	Steps   []Step  `json:"steps"`
}

// A Request is what a client sends.
type Request struct {
	Method string          `json:"method"`
	Path   string          `json:"path"` // below the base URL, with the query
	Client string          `json:"client"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// An ID is what the client knew a record by.
type ID struct {
	Type       string `json:"type"`
	Backend    string `json:"backend"`
	Key        string `json:"key"`
	ID         string `json:"id"`
	ExternalID string `json:"externalId,omitempty"`
}

// Parse reads a recording.
func Parse(data []byte) (*Recording, error) {
	var r Recording
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("this is no recording: %w", err)
	}
	if r.Postern != Version {
		return nil, errors.New("this is no recording of postern try")
	}
	return &r, nil
}

// JSON is the recording as a file.
func (r *Recording) JSON() ([]byte, error) {
	r.Postern = Version
	out, err := marshal(r)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(json.RawMessage(out)); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// A player answers from a recording. Each answer is given once, in order; the last
// one to a question that changes nothing is given again.
type player struct {
	recording *Recording
	usedSteps map[int]bool
	usedCalls map[[2]int]bool
	missing   []string
}

// answer fills a step with what is recorded.
func (p *player) answer(t *Tape, s *Step) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	asked := t.blot.step(s)
	want, last := asked.question(), -1
	for i := range p.recording.Steps {
		if p.recording.Steps[i].question() != want {
			continue
		}
		if last = i; !p.usedSteps[i] {
			break
		}
	}
	if last < 0 || p.usedSteps[last] && s.writes() {
		p.missing = append(p.missing, s.Title())
		return adapters.Errorf(adapters.Internal, s.Op, "the recording has no answer to this")
	}
	if p.usedSteps == nil {
		p.usedSteps = map[int]bool{}
	}
	p.usedSteps[last] = true
	r := &p.recording.Steps[last]
	s.Records, s.Total, s.Next, s.Exchanges = r.Records, r.Total, r.Next, r.Exchanges
	if r.Failure != nil {
		return r.Failure.error(s.Op)
	}
	return nil
}

// question is what of a step the backend is asked.
func (s *Step) question() string {
	q := Step{Type: s.Type, Op: s.Op, Key: s.Key, Query: s.Query, Create: s.Create, Changes: s.Changes, Members: s.Members}
	text, err := marshal(q)
	if err != nil {
		return s.Title()
	}
	return string(text)
}

// Title is a step in a few words: "update User 7".
func (s *Step) Title() string {
	title := strings.TrimSpace(s.Op + " " + s.Type + " " + s.Key)
	if s.Query != nil && s.Query.Filter != "" {
		title += " " + s.Query.Filter
	}
	return title
}

// call finds the answer to an HTTP request.
func (p *player) call(t *Tape, e *Exchange) (*Exchange, error) {
	asked := t.blot.exchange(e)
	var last *[2]int
	other := false
search:
	for i := range p.recording.Steps {
		for j, x := range p.recording.Steps[i].Exchanges {
			if e.Reads && x.anyBody && x.Request != asked.Request && !x.asks() && !p.usedCalls[[2]int{i, j}] {
				break search // what follows is answered once that change was sent
			}
			if x.Request != asked.Request || x.Status == 0 && x.Error == "" {
				continue
			}
			if x.Body != asked.Body && !x.anyBody {
				other = true
				continue
			}
			if last == nil || p.usedCalls[*last] {
				last = &[2]int{i, j}
			}
		}
	}
	if last == nil || p.usedCalls[*last] && !e.Reads {
		note := asked.Request
		if other {
			note += " (another body was sent when it was recorded)"
		}
		p.missing = append(p.missing, note)
		return nil, errors.New("the recording has no answer to " + note)
	}
	if p.usedCalls == nil {
		p.usedCalls = map[[2]int]bool{}
	}
	p.usedCalls[*last] = true
	return p.recording.Steps[last[0]].Exchanges[last[1]], nil
}
