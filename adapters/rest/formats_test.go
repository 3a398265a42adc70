package rest_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/postern/postern/adapters"
	"github.com/postern/postern/adapters/adaptertest"
	"github.com/postern/postern/adapters/rest"
)

// Shapes in other formats than JSON. XML and forms carry text only: what is a
// number, the configuration says.

func formatShapes() map[string]shape {
	return map[string]shape{
		"forms out, XML in":     forms(),
		"SOAP 1.1":              soap("soap"),
		"SOAP 1.2":              soap("soap12"),
		"JSON-RPC, by position": rpc(),
	}
}

func TestSuiteFormats(t *testing.T) {
	for name, s := range formatShapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			adaptertest.Run(t, adaptertest.Harness{Fields: adaptertest.StandardFields, Brief: true, New: s.open})
		})
	}
}

// element writes a row, or anything, as XML.
func element(b *bytes.Buffer, name string, v any) {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	for _, e := range list {
		fmt.Fprintf(b, "<%s>", name)
		if m, ok := e.(map[string]any); ok {
			for _, k := range slices.Sorted(maps.Keys(m)) {
				element(b, k, m[k])
			}
		} else if e != nil {
			_ = xml.EscapeText(b, []byte(fmt.Sprint(e)))
		}
		fmt.Fprintf(b, "</%s>", name)
	}
}

func rows(all []map[string]any) []any {
	out := make([]any, len(all))
	for i, r := range all {
		out[i] = r
	}
	return out
}

// forms takes forms at one address and answers XML.
func forms() shape {
	return shape{
		serve: serveForms,
		config: func(c *rest.Config) {
			c.Format = "form"
			c.Secrets = map[string]string{"key": "k&y"}
		},
		target: func(t *rest.Target) {
			t.Multi = nil
			t.Fields = []string{"name", "nick", "note", "age", "active", "members"}
			t.Multi = []string{"members"}
			t.Read = pairs("age", "item.age == nil ? nil : int(item.age)")
			t.List = step("post", "/api.php?do=list", send("{api_key: secret.key}"), records("list(body.users?.user)"))
			t.Get = step("post", "/api.php?do=get", send("{api_key: secret.key, id: key}"), record("body.user"))
			t.Create = step("post", "/api.php?do=add", send("{api_key: secret.key, user: record}"), key("body.ok"))
			t.Update = step("post", "/api.php?do=edit&id={key}", send("{api_key: secret.key, user: changes, old: old.members}"))
			t.Delete = step("post", "/api.php?do=drop", send("{api_key: secret.key, id: key}"))
			t.Clear = text(`""`)
			t.Fails = fails(`body.error == "taken"`, "exists", "name", `body.error == "none"`, "notFound", "", `body.error == "bad"`, "invalid", "")
		},
	}
}

func serveForms(l *legacy, w http.ResponseWriter, r *http.Request) {
	answer := func(name string, v any) {
		var b bytes.Buffer
		b.WriteString(xml.Header)
		element(&b, name, v)
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		_, _ = w.Write(b.Bytes())
	}
	data, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(data))
	if err != nil || form.Get("api_key") != "k&y" {
		answer("error", "key")
		return
	}
	id, row := form.Get("id"), map[string]any{}
	if id == "" {
		id = r.URL.Query().Get("id")
	}
	for k, v := range form {
		name, list := strings.CutSuffix(k, "][]")
		if name, ok := strings.CutPrefix(strings.TrimSuffix(name, "]"), "user["); ok {
			if row[name] = v[0]; list {
				l := []any{}
				for _, e := range v {
					l = append(l, e)
				}
				row[name] = l
			}
		}
	}
	done := func(f *failure, ok any) {
		switch {
		case f == nil:
			answer("ok", ok)
		case f.status == 422:
			answer("error", "taken")
		default:
			answer("error", "none")
		}
	}
	switch r.URL.Query().Get("do") {
	case "list":
		answer("users", map[string]any{"user": rows(l.all(""))})
	case "get":
		row, f := l.find(id)
		if f != nil {
			done(f, nil)
			return
		}
		answer("user", row)
	case "add":
		if strings.Contains(string(data), "%00") {
			answer("error", "bad")
			return
		}
		row, f := l.insert("", row)
		done(f, row["id"])
	case "edit":
		_, f := l.change(id, row)
		done(f, nil)
	case "drop":
		done(l.remove(id), nil)
	}
}

func soap(version string) shape {
	return shape{
		serve: serveSOAP,
		config: func(c *rest.Config) {
			c.Format, c.Namespace = version, "urn:legacy"
			c.User, c.Password = "admin", "p:w"
		},
		target: func(t *rest.Target) {
			t.Read = pairs("age", "item.age == nil ? nil : int(item.age)")
			t.Clear = text(`""`)
			t.List = step("soap", "ListUsers", records("list(body.ListUsersResponse?.user)"))
			t.Get = step("soap", "GetUser", send("{id: key}"), record("body.GetUserResponse.user"))
			t.Create = step("soap", "CreateUser", send("[{secret: 1}, {user: record}]"), key("body.CreateUserResponse.id"))
			t.Update = step("soap", "UpdateUser", send("[{id: key}, {user: changes}]"))
			t.Delete = step("soap", "DeleteUser", send("{id: key}"))
			t.Fails = fails(`body.Fault.faultcode == "taken"`, "exists", "name", `body.Fault.faultcode == "none"`, "notFound", "")
		},
	}
}

type envelope struct {
	Body struct {
		Inner []byte `xml:",innerxml"`
	} `xml:"Body"`
}

// data reads XML for the test server: by the standard library's tokens alone.
func data(t *xml.Decoder) (out any) {
	m, text := map[string]any{}, ""
	for {
		tok, err := t.Token()
		if err != nil {
			return m
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			v, name := data(t), tok.Name.Local
			switch old := m[name].(type) {
			case nil:
				m[name] = v
			case []any:
				m[name] = append(old, v)
			default:
				m[name] = []any{old, v}
			}
		case xml.CharData:
			text += string(tok)
		case xml.EndElement:
			if len(m) > 0 {
				return m
			}
			return text
		}
	}
}

func serveSOAP(l *legacy, w http.ResponseWriter, r *http.Request) {
	var e envelope
	body, _ := io.ReadAll(r.Body)
	if err := xml.Unmarshal(body, &e); err != nil {
		w.WriteHeader(400)
		return
	}
	user, password, _ := r.BasicAuth()
	if user != "admin" || password != "p:w" {
		w.WriteHeader(401)
		return
	}
	all, _ := data(xml.NewDecoder(bytes.NewReader(e.Body.Inner))).(map[string]any)
	answer := func(name string, v any) {
		var b bytes.Buffer
		element(&b, name, v)
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		fmt.Fprintf(w, `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%s</s:Body></s:Envelope>`, b.String())
	}
	for name, v := range all {
		if !strings.Contains(r.Header.Get("SOAPAction")+r.Header.Get("Content-Type"), `"urn:legacy/`+name+`"`) {
			w.WriteHeader(400)
			return
		}
		in, _ := v.(map[string]any)
		id, _ := in["id"].(string)
		row, _ := in["user"].(map[string]any)
		if _, isText := row["members"].(string); isText {
			row["members"] = []any{row["members"]}
		}
		if s, isText := in["user"].(string); isText && s == "" {
			row = map[string]any{}
		}
		var f *failure
		var out map[string]any
		switch name {
		case "ListUsers":
			out = map[string]any{"user": rows(l.all(""))}
		case "GetUser":
			row, f = l.find(id)
			out = map[string]any{"user": row}
		case "CreateUser":
			row, f = l.insert("", row)
			out = map[string]any{"id": row["id"]}
		case "UpdateUser":
			_, f = l.change(id, row)
		case "DeleteUser":
			f = l.remove(id)
		}
		switch {
		case f == nil:
			answer(name+"Response", out)
		default:
			code := map[int]string{422: "taken", 404: "none"}[f.status]
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(500)
			fmt.Fprintf(w, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>%s</faultcode></s:Fault></s:Body></s:Envelope>`, code)
		}
	}
}

func rpc() shape {
	return shape{
		serve:  serveRPC,
		config: func(c *rest.Config) { c.URL += "/rpc" },
		target: func(t *rest.Target) {
			t.List = step("rpc", "user.list", records("body"))
			t.Get = step("rpc", "user.get", send("[key]"), record("body"))
			t.Create = step("rpc", "user.add", send("[record]"), key("body"))
			t.Update = step("rpc", "user.edit", send("[key, changes]"))
			t.Delete = step("rpc", "user.drop", send("{id: key}"))
			t.Fails = fails(`body.error.code == 1`, "exists", "name", `body.error.code == 2`, "notFound", "")
		},
	}
}

func serveRPC(l *legacy, w http.ResponseWriter, r *http.Request) {
	in := readBody(r)
	answer := func(f *failure, v any) {
		out := map[string]any{"jsonrpc": "2.0", "id": in["id"], "result": v}
		if f != nil {
			out = map[string]any{"jsonrpc": "2.0", "id": in["id"], "error": map[string]any{"code": map[int]int{422: 1, 404: 2}[f.status]}}
		}
		reply(w, 200, out)
	}
	params, _ := in["params"].([]any)
	at := func(i int) string {
		if i < len(params) {
			s, _ := params[i].(string)
			return s
		}
		return ""
	}
	switch in["method"] {
	case "user.list":
		answer(nil, rows(l.all("")))
	case "user.get":
		row, f := l.find(at(0))
		answer(f, row)
	case "user.add":
		row, f := l.insert("", params[0].(map[string]any))
		answer(f, row["id"])
	case "user.edit":
		_, f := l.change(at(0), params[1].(map[string]any))
		answer(f, true)
	case "user.drop":
		named := in["params"].(map[string]any)
		answer(l.remove(named["id"].(string)), true)
	}
}

// TestNumbersStayWhole covers row 55: integers beyond a float are not rounded.
func TestNumbersStayWhole(t *testing.T) {
	a := single(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"id": 9007199254740993, "nick": 123456789012345678901234567890, "age": 1.5}`))
	}, nil)
	r, err := a.Get(t.Context(), "9007199254740993", adapters.AllFields)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Get("nick"); got != json.Number("123456789012345678901234567890").String() {
		t.Errorf("nick: %#v", got)
	}
	if got := r.Get("age"); got != 1.5 {
		t.Errorf("age: %#v", got)
	}
}
