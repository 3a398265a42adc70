package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

const (
	root      = "/scim/v2"
	mediaType = "application/scim+json"
	mostBytes = 2 << 20
	mostTime  = 30 * time.Second
)

type server struct {
	staff *staff
	ids   *ids
	token [sha256.Size]byte
	base  string
	log   *slog.Logger
}

// allow takes the hash of the only token.
func (s *server) allow(hash string) error {
	b, err := hex.DecodeString(hash)
	if err != nil || len(b) != len(s.token) {
		return errors.New("-token must be a SHA-256 in hexadecimal")
	}
	copy(s.token[:], b)
	return nil
}

func (s *server) routes() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	g := e.Group(root, s.report, gin.Recovery(), s.authenticate)
	g.GET("/Users", s.handle(s.listUsers))
	g.POST("/Users", s.handle(s.createUser))
	g.GET("/Users/:id", s.handle(s.getUser))
	g.PATCH("/Users/:id", s.handle(s.patchUser))
	g.GET("/Groups", s.handle(s.listGroups))
	g.GET("/Groups/:id", s.handle(s.getGroup))
	g.PATCH("/Groups/:id", s.handle(s.patchGroup))
	return e
}

// report writes a line in the log.
func (s *server) report(c *gin.Context) {
	begun := time.Now()
	id := c.GetHeader("X-Request-Id")
	if id == "" {
		var b [8]byte
		rand.Read(b[:])
		id = hex.EncodeToString(b[:])
	}
	c.Header("X-Request-Id", id)
	c.Next()
	s.log.LogAttrs(c.Request.Context(), slog.LevelInfo, "request", slog.String("method", c.Request.Method), slog.String("route", c.FullPath()),
		slog.Int("status", c.Writer.Status()), slog.Duration("took", time.Since(begun)), slog.String("from", c.Request.RemoteAddr), slog.String("request", id))
}

func (s *server) authenticate(c *gin.Context) {
	token, ok := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	sum := sha256.Sum256([]byte(token))
	if !ok || subtle.ConstantTimeCompare(sum[:], s.token[:]) != 1 {
		c.Header("WWW-Authenticate", `Bearer realm="staff"`)
		refuse(c, fail(http.StatusUnauthorized, "", "A bearer token is needed."))
		c.Abort()
	}
}

// handle runs a handler within the time limit and answers its error.
func (s *server) handle(f func(ctx context.Context, c *gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), mostTime)
		defer cancel()
		if err := f(ctx, c); err != nil {
			var known *failure
			if !errors.As(err, &known) {
				s.log.ErrorContext(ctx, "failed", "error", err)
				known = fail(http.StatusInternalServerError, "", "Something went wrong.")
			}
			refuse(c, known)
		}
	}
}

func refuse(c *gin.Context, f *failure) {
	if err := send(c, f.Status, f); err != nil {
		c.Status(http.StatusInternalServerError)
	}
}

func send(c *gin.Context, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h := c.Writer.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	c.Data(status, mediaType, b)
	return nil
}

func sendAt(c *gin.Context, status int, location string, v any) error {
	c.Header("Location", location)
	c.Header("Content-Location", location)
	return send(c, status, v)
}

// read decodes the request's body.
func read(c *gin.Context, into any) error {
	kind, _, _ := strings.Cut(c.ContentType(), ";")
	if kind != "" && kind != mediaType && kind != "application/json" {
		return fail(http.StatusUnsupportedMediaType, "", "Send application/scim+json.")
	}
	if err := json.NewDecoder(http.MaxBytesReader(c.Writer, c.Request.Body, mostBytes)).Decode(into); err != nil {
		return fail(http.StatusBadRequest, "invalidSyntax", "The body is no JSON that is understood here.")
	}
	return nil
}

// window reads startIndex and count.
func window(c *gin.Context) (start, count int, err error) {
	start, count = 1, 100
	if v, ok := c.GetQuery("startIndex"); ok {
		if start, err = strconv.Atoi(v); err != nil {
			return 0, 0, fail(http.StatusBadRequest, "invalidValue", "startIndex must be an integer.")
		}
	}
	if v, ok := c.GetQuery("count"); ok {
		if count, err = strconv.Atoi(v); err != nil {
			return 0, 0, fail(http.StatusBadRequest, "invalidValue", "count must be an integer.")
		}
	}
	return max(start, 1), min(max(count, 0), 1000), nil
}

func newList[T any](total, start int, all []T) *list[T] {
	if all == nil {
		all = []T{}
	}
	return &list[T]{Schemas: []string{listSchema}, TotalResults: total, StartIndex: start, ItemsPerPage: len(all), Resources: all}
}

// A patch is a PATCH request's body.
type patch struct {
	Operations []struct {
		Op    string          `json:"op"`
		Path  string          `json:"path"`
		Value json.RawMessage `json:"value"`
	} `json:"Operations"`
}
