package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/postern/postern/internal/draft"
)

// maxSample bounds a sample.
const maxSample = 16 << 20

func (c initCommand) fromSample(ctx context.Context, ask *asker) (string, error) {
	data, err := c.sample(ctx, ask)
	if err != nil {
		return "", err
	}
	s, err := draft.ReadSample(data)
	if err != nil {
		return "", err
	}
	s.URL = c.URL
	if name, _, ok := strings.Cut(c.Header, ":"); ok {
		s.Header = strings.TrimSpace(name)
	}
	set, err := c.setting(ask, "api")
	if err != nil {
		return "", err
	}
	return s.Propose(set), nil
}

func (c initCommand) sample(ctx context.Context, ask *asker) ([]byte, error) {
	switch {
	case c.JSON == "-":
		return io.ReadAll(io.LimitReader(ask.m.Stdin, maxSample))
	case c.JSON != "":
		return os.ReadFile(c.JSON)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return nil, errors.New("the URL cannot be read")
	}
	req.Header.Set("Accept", "application/json")
	if name, v, ok := strings.Cut(c.Header, ":"); ok {
		req.Header.Set(strings.TrimSpace(name), strings.TrimSpace(v))
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the API does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the API answers %s; does it want a credential? -H \"NAME: VALUE\"", resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxSample))
}
