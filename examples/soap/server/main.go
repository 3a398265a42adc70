// Command server is a small application with a SOAP 1.1 service of the old kind:
// the credential is in every body, elements have an order, pages a number, states
// a word, and failures are faults with a code in their detail.
package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"reflect"
	"time"

	"github.com/postern/postern/examples/directory"
)

const namespace = "urn:example:directory"

// A request is what may be in a body. The order is that of the service's schema.
type request struct {
	XMLName  xml.Name
	User     string  `xml:"user"`
	Password string  `xml:"password"`
	ID       int     `xml:"id"`
	Page     int     `xml:"page"`
	Text     string  `xml:"text"`
	Member   int     `xml:"member"`
	Name     string  `xml:"name"`
	Account  account `xml:"account"`
}

// An account is a user as the service has it. What is absent is not changed.
type account struct {
	ID        int     `xml:"id,omitempty"`
	LoginName *string `xml:"loginName"`
	GivenName *string `xml:"givenName"`
	Surname   *string `xml:"surname"`
	Mail      *string `xml:"mail"`
	State     *string `xml:"state"`
}

// A team is a group as the service has it.
type team struct {
	ID      int    `xml:"id"`
	Name    string `xml:"name"`
	Members []int  `xml:"member"`
}

// A response is what may be in an answer.
type response struct {
	XMLName  xml.Name
	Accounts []account `xml:"account"`
	Teams    []team    `xml:"team"`
	More     bool      `xml:"more"`
}

var words = map[string]string{"A": "ACTIVE", "L": "LOCKED"}

func shown(u directory.User) account {
	state := words[u.State]
	return account{u.ID, &u.Login, &u.Given, &u.Family, &u.Mail, &state}
}

func (a account) change(u *directory.User) {
	for from, to := range map[*string]*string{a.LoginName: &u.Login, a.GivenName: &u.Given, a.Surname: &u.Family, a.Mail: &u.Mail} {
		if from != nil {
			*to = *from
		}
	}
	if a.State != nil {
		u.State = map[string]string{"ACTIVE": "A", "LOCKED": "L"}[*a.State]
	}
}

// pageSize is how many accounts are on a page.
const pageSize = 40

// page is a page; pages count from 0.
func page[T, R any](all []T, n int, show func(T) R) (out []R, more bool) {
	for i := max(n, 0) * pageSize; i < len(all); i++ {
		if len(out) == pageSize {
			return out, true
		}
		out = append(out, show(all[i]))
	}
	return out, false
}

type server struct {
	directory.Directory
	password string
}

func (s *server) call(in request) (out response, err error) {
	users := func(u directory.User, err error) (response, error) {
		out.Accounts = []account{shown(u)}
		return out, err
	}
	teams := func(g directory.Group, err error) (response, error) {
		out.Teams = []team{team(g)}
		return out, err
	}
	switch in.XMLName.Local {
	case "SearchAccounts":
		out.Accounts, out.More = page(s.Users(in.Text), in.Page, shown)
	case "GetAccount":
		return users(s.User(in.ID))
	case "CreateAccount":
		u := directory.User{State: "A"}
		in.Account.change(&u)
		return users(s.AddUser(u))
	case "ModifyAccount":
		return users(s.ChangeUser(in.ID, in.Account.change))
	case "DeleteAccount":
		err = s.DropUser(in.ID)
	case "ListTeams":
		out.Teams, out.More = page(s.Groups(), in.Page, func(g directory.Group) team { return team(g) })
	case "GetTeam":
		return teams(s.Group(in.ID))
	case "CreateTeam":
		return teams(s.NameGroup(0, in.Name))
	case "RenameTeam":
		return teams(s.NameGroup(in.ID, in.Name))
	case "DeleteTeam":
		err = s.DropGroup(in.ID)
	case "AddTeamMember":
		err = s.Join(in.ID, in.Member, true)
	case "RemoveTeamMember":
		err = s.Join(in.ID, in.Member, false)
	default:
		err = errors.New("no such operation")
	}
	return out, err
}

// ordered refuses elements that are not in the order of the schema, as such
// services do.
func ordered(body []byte) error {
	var all struct {
		Children []struct{ XMLName xml.Name } `xml:",any"`
	}
	if err := xml.Unmarshal(body, &all); err != nil {
		return err
	}
	order, last := map[string]int{}, 0
	for i := range reflect.TypeFor[request]().NumField() {
		order[reflect.TypeFor[request]().Field(i).Tag.Get("xml")] = i
	}
	for _, c := range all.Children {
		at, known := order[c.XMLName.Local]
		if !known || at < last {
			return fmt.Errorf("element %s is not expected here", c.XMLName.Local)
		}
		last = at
	}
	return nil
}

type envelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Body    struct {
		Inner []byte `xml:",innerxml"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

func (s *server) answer(r *http.Request) (out response, err error) {
	var e envelope
	var in request
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err == nil {
		err = xml.Unmarshal(body, &e)
	}
	if err == nil {
		err = ordered(e.Body.Inner)
	}
	if err == nil {
		err = xml.Unmarshal(e.Body.Inner, &in)
	}
	switch {
	case err != nil:
		return out, err
	case r.Header.Get("SOAPAction") != `"`+namespace+"/"+in.XMLName.Local+`"` || in.XMLName.Space != namespace:
		return out, errors.New("the action, or the namespace, is another one")
	case in.User != "scim" || in.Password != s.password:
		return out, &directory.Failure{Code: "denied"}
	}
	out, err = s.call(in)
	out.XMLName = xml.Name{Space: namespace, Local: in.XMLName.Local + "Response"}
	return out, err
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := s.answer(r)
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	var content bytes.Buffer
	var f *directory.Failure
	switch {
	case err == nil:
		err = xml.NewEncoder(&content).Encode(out)
	case errors.As(err, &f):
		fmt.Fprintf(&content, `<s:Fault><faultcode>s:Client</faultcode><faultstring>refused</faultstring><detail><code>%s</code><field>%s</field></detail></s:Fault>`, f.Code, f.Field)
	default:
		content.WriteString(`<s:Fault><faultcode>s:Server</faultcode><faultstring>`)
		_ = xml.EscapeText(&content, []byte(err.Error()))
		content.WriteString(`</faultstring></s:Fault>`)
	}
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
	fmt.Fprintf(w, `%s<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%s</s:Body></s:Envelope>`, xml.Header, content.Bytes())
}

func main() {
	listen := flag.String("listen", "127.0.0.1:18202", "where to listen")
	key := flag.String("key", "letmein", "the password")
	flag.Parse()
	srv := &http.Server{Addr: *listen, Handler: &server{password: *key}, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(srv.ListenAndServe())
}
