package identity

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// What processes remember they must forget when another one has written. Each says
// what it wrote about by counting up a number, and the others look at the numbers:
// when they are told to, where the database can tell them, and from time to time.

const (
	tellAfter = 50 * time.Millisecond // what was written meanwhile is told at once
	lookTold  = 10 * time.Second      // how often one looks that is told besides
	lookAlone = time.Second           // and one that is not
)

// changes are what this process has to tell, and what it has heard.
type changes struct {
	mu    sync.Mutex
	open  map[string]bool
	known map[string]int64
}

// Changed says that what other processes remember of a topic is old. It does not
// wait until they have heard. Without company there is nobody to tell.
func (s *Store) Changed(topic string) {
	if s.dry || !s.Company() {
		return
	}
	c := &s.changes
	c.mu.Lock()
	defer c.mu.Unlock()
	first := len(c.open) == 0
	if c.open == nil {
		c.open = map[string]bool{}
	}
	c.open[topic] = true
	if first {
		time.AfterFunc(tellAfter, s.tell)
	}
}

func (s *Store) tell() {
	s.changes.mu.Lock()
	topics := s.changes.open
	s.changes.open = nil
	s.changes.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), beatEvery)
	defer cancel()
	for topic := range topics {
		var version int64
		err := s.write(ctx, "tell", func(x *session) (err error) {
			x.trace = nil
			if version, err = x.number(qTell, topic); err == nil && s.dialect.notifies() {
				err = x.notify(topic)
			}
			return err
		})
		if err == nil {
			s.own(topic, version)
		}
	}
}

// own notes that a version is this process's own, if no other one came between.
func (s *Store) own(topic string, version int64) {
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	if s.changes.known != nil && s.changes.known[topic] == version-1 {
		s.changes.known[topic] = version
	}
}

// Follow calls heard with every topic that another process has written about, until
// ctx ends. It is called with "" when it cannot be known what was missed.
func (s *Store) Follow(ctx context.Context, heard func(topic string)) {
	told := make(chan struct{}, 1)
	var listens sync.WaitGroup
	defer listens.Wait()
	every := lookAlone
	if s.dialect.notifies() {
		every = lookTold
		listens.Go(func() { s.listen(ctx, told) })
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := s.look(ctx, heard); err != nil && ctx.Err() == nil {
			heard("")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-told:
		}
	}
}

// look compares the numbers with those that are known.
func (s *Store) look(ctx context.Context, heard func(topic string)) error {
	found := map[string]int64{}
	x := s.reading(ctx)
	x.trace = nil
	err := x.each(qChanges, nil, func(scan func(...any) error) error {
		var topic string
		var version int64
		err := scan(&topic, &version)
		found[topic] = version
		return err
	})
	if err != nil {
		return err
	}
	s.changes.mu.Lock()
	known := s.changes.known
	var news []string
	for topic, version := range found {
		if known != nil && known[topic] < version {
			news = append(news, topic)
		}
	}
	s.changes.known = found
	s.changes.mu.Unlock()
	for _, topic := range news {
		heard(topic)
	}
	return nil
}

// listen passes on that there is something to look at. A connection that is lost is
// made anew; what is missed meanwhile is found by looking.
func (s *Store) listen(ctx context.Context, told chan<- struct{}) {
	for ctx.Err() == nil {
		_ = s.dialect.listen(ctx, s.dsn, func() {
			select {
			case told <- struct{}{}:
			default:
			}
		})
		select {
		case <-ctx.Done():
		case <-time.After(lookTold):
		}
	}
}

const channel = "postern_changes"

// notify is a part of the transaction: it is told when that is done. A database
// that cannot tell has numbers to look at.
func (x *session) notify(topic string) error {
	_, err := x.on.ExecContext(x.ctx, "SELECT pg_notify('"+channel+"', $1)", topic)
	return err
}

func (postgres) listen(ctx context.Context, dsn string, told func()) error {
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is of no more use
	if _, err := c.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	told()
	for {
		if _, err := c.WaitForNotification(ctx); err != nil {
			return err
		}
		told()
	}
}

var errNotTold = errors.New("this database tells nobody")

func (sqlite) listen(context.Context, string, func()) error { return errNotTold }

func (sqlite) notifies() bool { return false }
