package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

const apiKey = "the-key-of-the-benchmark"

// serve runs the part of a server until the process ends, and says where.
func serve(ctx context.Context, part, to string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	var h http.Handler = backend()
	if part == "proxy" {
		target, err := url.Parse(to)
		if err != nil {
			return err
		}
		h = proxy(target)
	}
	fmt.Printf("%s listens at http://%s\n", part, l.Addr())
	go func() {
		<-ctx.Done()
		_ = l.Close()
	}()
	if err := http.Serve(l, h); !errors.Is(err, net.ErrClosed) { //nolint:gosec // on loopback, for a minute
		return err
	}
	return nil
}

// proxy is what stands beside Postern: nothing but the library's own.
func proxy(target *url.URL) http.Handler {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	return &httputil.ReverseProxy{Transport: t, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Header.Set("X-Api-Key", apiKey)
	}}
}

// user is what the backend answers, in the size that such answers have.
func user(id int) string {
	status := "active"
	if id%10 == 0 {
		status = "locked"
	}
	return fmt.Sprintf(`{"id":%d,"login":"user%06d","firstname":"Given%d","lastname":"Family%d","mail":"user%06d@example.com","title":"Engineer","department":"D%02d",`+
		`"phone":"+49 30 %07d","status":"%s","admin":false,"created_on":"2024-02-01T13:30:00Z","updated_on":"2026-11-01T08:15:30Z","last_login_on":"2026-11-27T07:00:00Z",`+
		`"language":"en","avatar_url":"https://app.example.com/avatar/%d.png","custom_fields":[{"id":1,"name":"Cost centre","value":"%d"},{"id":2,"name":"Room","value":""}]}`,
		id, id, id, id, id, id%40, id, status, id, 1000+id%50)
}

// backend is an API of so many users that counts its calls.
func backend() http.Handler {
	var calls atomic.Int64
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}
	mux.HandleFunc("GET /calls", func(w http.ResponseWriter, _ *http.Request) { reply(w, strconv.FormatInt(calls.Load(), 10)) })
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || id < 1 || id > users || r.Header.Get("X-Api-Key") != apiKey {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		reply(w, `{"user":`+user(id)+`}`)
	})
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		from, _ := strconv.Atoi(r.FormValue("offset"))
		limit, _ := strconv.Atoi(r.FormValue("limit"))
		var all []string
		for id := from + 1; id <= min(from+limit, users); id++ {
			all = append(all, user(id))
		}
		reply(w, `{"users":[`+strings.Join(all, ",")+`],"total_count":`+strconv.Itoa(users)+`}`)
	})
	return mux
}

const configuration = `gateway: {listen: 127.0.0.1:0}
identities: sqlite:ids.db
clients: {bench: {tokens: [{hash: "sha256:@HASH@"}]}}
backends:
  app: {type: rest, url: "@URL@", headers: {X-Api-Key: "${env:API_KEY}"}, concurrency: 64}
resources:
  User:
    extensions: [EnterpriseUser]
    target:
      backend: app
      key: id
      scope: record.admin != true
      list: {get: /users, query: {limit: page.limit, offset: page.offset}, records: body.users, total: body.total_count, ordered: true}
      get: {get: "/users/{key}", record: body.user}
      fails: [{when: 'status == 422', kind: invalid}]
    attributes:
      userName: login
      name.givenName: firstname
      name.familyName: lastname
      title: title
      preferredLanguage: language
      emails[type eq "work"].value: mail
      phoneNumbers[type eq "work"].value: phone
      active: {name: status, values: {active: true, locked: false}, default: true}
      enterprise:department: department
      meta.created: created_on
      meta.lastModified: updated_on
`

func environment() []string { return append(os.Environ(), "API_KEY="+apiKey) }
