// Command server is a small application with a JSON-RPC API of the old kind: the
// key of the API is the first parameter of every call, parameters have places and
// no names, lists come in pieces that say nothing of their number, and every answer
// has the status 200.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"log"
	"net/http"
	"strconv"
	"time"

	"github.com/postern/postern/examples/directory"
)

// A request is a call (JSON-RPC 2.0).
type request struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

type server struct {
	directory.Directory
	key string
}

// row is a user as this API has it: numbers as text, another word for the login.
func row(u directory.User) map[string]any {
	return map[string]any{"uid": strconv.Itoa(u.ID), "account": u.Login, "first": u.Given, "last": u.Family, "email": u.Mail, "locked": u.State == "L"}
}

func groupRow(g directory.Group) map[string]any {
	members := []string{}
	for _, m := range g.Members {
		members = append(members, strconv.Itoa(m))
	}
	return map[string]any{"gid": strconv.Itoa(g.ID), "title": g.Name, "members": members}
}

// change sets what a call gives.
func change(in map[string]any) func(*directory.User) {
	return func(u *directory.User) {
		for name, field := range map[string]*string{"account": &u.Login, "first": &u.Given, "last": &u.Family, "email": &u.Mail} {
			if v, given := in[name]; given {
				*field, _ = v.(string)
			}
		}
		if locked, given := in["locked"].(bool); given {
			u.State = map[bool]string{true: "L", false: "A"}[locked]
		}
	}
}

// piece is how many records a list holds at most.
const piece = 50

func pieceOf[T any](all []T, from int, row func(T) map[string]any) []any {
	out := []any{}
	for i := max(from, 0); i < len(all) && len(out) < piece; i++ {
		out = append(out, row(all[i]))
	}
	return out
}

// call does what a method says. The parameters behind the key are a number or text
// first, and what the method needs then.
func (s *server) call(method string, p []json.RawMessage) (any, error) {
	id, text, in := 0, "", map[string]any{}
	if len(p) > 0 && json.Unmarshal(p[0], &text) == nil {
		id, _ = strconv.Atoi(text)
	} else if len(p) > 0 {
		_ = json.Unmarshal(p[0], &id)
		_ = json.Unmarshal(p[0], &in)
	}
	second := ""
	if len(p) > 1 {
		_ = json.Unmarshal(p[1], &in)
		_ = json.Unmarshal(p[1], &second)
	}
	switch method {
	case "user.list":
		return pieceOf(s.Users(""), id, row), nil
	case "user.search":
		return pieceOf(s.Users(text), 0, row), nil
	case "user.get":
		return shown(row)(s.User(id))
	case "user.add":
		u := directory.User{State: "A"}
		change(in)(&u)
		return shown(row)(s.AddUser(u))
	case "user.edit":
		return shown(row)(s.ChangeUser(id, change(in)))
	case "user.drop":
		return true, s.DropUser(id)
	}
	return s.callGroup(method, id, text, second)
}

func (s *server) callGroup(method string, id int, text, second string) (any, error) {
	user, _ := strconv.Atoi(second)
	switch method {
	case "group.list":
		return pieceOf(s.Groups(), id, groupRow), nil
	case "group.get":
		return shown(groupRow)(s.Group(id))
	case "group.add":
		return shown(groupRow)(s.NameGroup(0, text))
	case "group.rename":
		return shown(groupRow)(s.NameGroup(id, second))
	case "group.drop":
		return true, s.DropGroup(id)
	case "group.join":
		return true, s.Join(id, user, true)
	case "group.leave":
		return true, s.Join(id, user, false)
	}
	return nil, errors.New("no such method")
}

func shown[T any](row func(T) map[string]any) func(T, error) (any, error) {
	return func(v T, err error) (any, error) { return row(v), err }
}

// codes are those of the error object.
var codes = map[string]int{"none": 404, "taken": 409, "bad": 422}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req request
	out := map[string]any{"jsonrpc": "2.0"}
	err := json.NewDecoder(r.Body).Decode(&req)
	key := ""
	if err == nil && len(req.Params) > 0 {
		_ = json.Unmarshal(req.Params[0], &key)
	}
	if err == nil && key != s.key {
		out["error"] = map[string]any{"code": 401, "message": "who are you?"}
	} else if err == nil {
		out["result"], err = s.call(req.Method, req.Params[1:])
	}
	var f *directory.Failure
	if errors.As(err, &f) {
		out["error"] = map[string]any{"code": codes[f.Code], "message": f.Error(), "data": f.Field}
	} else if err != nil {
		out["error"] = map[string]any{"code": -32600, "message": err.Error()}
	}
	out["id"] = req.ID
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(out); err != nil {
		log.Print(err)
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:18201", "where to listen")
	key := flag.String("key", "letmein", "what opens the API")
	flag.Parse()
	srv := &http.Server{Addr: *listen, Handler: &server{key: *key}, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(srv.ListenAndServe())
}
