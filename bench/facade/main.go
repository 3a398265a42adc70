package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where to listen")
	staff := flag.String("staff", "", "the staff database")
	ids := flag.String("ids", "", "the database of ids, made if there is none")
	hash := flag.String("token", "", "the SHA-256 of the bearer token, in hexadecimal")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *staff, *ids, *hash); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, staffPath, idsPath, tokenHash string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	staff, err := openStaff(ctx, staffPath)
	if err != nil {
		return fmt.Errorf("staff database: %w", err)
	}
	defer staff.close()
	ids, err := openIDs(ctx, idsPath)
	if err != nil {
		return fmt.Errorf("ids: %w", err)
	}
	defer ids.close()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	s := &server{staff: staff, ids: ids, base: "http://" + l.Addr().String() + root, log: log}
	if err := s.allow(tokenHash); err != nil {
		return err
	}
	web := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(l) }()
	fmt.Printf("listening at %s\n", s.base)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drain, done := context.WithTimeout(context.Background(), 10*time.Second)
	defer done()
	if err := web.Shutdown(drain); err != nil {
		return errors.Join(err, web.Close())
	}
	return nil
}
