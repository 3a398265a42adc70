package soap_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"testing"

	"github.com/postern/postern/examples/exampletest"
)

// service is the application itself, asked afterwards what it really holds.
type service struct{ base, password string }

// An account is one of the service's.
type account struct {
	ID        string `xml:"id"`
	LoginName string `xml:"loginName"`
	GivenName string `xml:"givenName"`
	Surname   string `xml:"surname"`
	Mail      string `xml:"mail"`
	State     string `xml:"state"`
}

// An answer is what may be in a body.
type answer struct {
	Body struct {
		Inner struct {
			Accounts []account `xml:"account"`
			Teams    []struct {
				Name    string   `xml:"name"`
				Members []string `xml:"member"`
			} `xml:"team"`
		} `xml:",any"`
	} `xml:"Body"`
}

// call calls an operation; content is what follows the credential.
func (s service) call(t *testing.T, name, content string) (a answer) {
	t.Helper()
	body := fmt.Sprintf(`<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><%s xmlns="urn:example:directory">`+
		`<user>scim</user><password>%s</password>%s</%s></e:Body></e:Envelope>`, name, s.password, content, name)
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.base, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("SOAPAction", `"urn:example:directory/`+name+`"`)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := xml.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: status %d, %v", name, resp.StatusCode, err)
	}
	return a
}

func (s service) user(t *testing.T, login string) map[string]any {
	t.Helper()
	for _, a := range s.call(t, "SearchAccounts", "<page>0</page><text>"+login+"</text>").Body.Inner.Accounts {
		if a.LoginName == login {
			return map[string]any{"userName": a.LoginName, "name.givenName": a.GivenName, "name.familyName": a.Surname,
				`emails[type eq "work"].value`: a.Mail, "active": a.State == "ACTIVE"}
		}
	}
	return nil
}

func (s service) group(t *testing.T, name string) (members []string, there bool) {
	t.Helper()
	for _, g := range s.call(t, "ListTeams", "").Body.Inner.Teams {
		if g.Name != name {
			continue
		}
		for _, id := range g.Members {
			members = append(members, s.call(t, "GetAccount", "<id>"+id+"</id>").Body.Inner.Accounts[0].LoginName)
		}
		return members, true
	}
	return nil, false
}

// fill makes users by the service itself, every second one locked.
func (s service) fill(t *testing.T, n int) (active int) {
	t.Helper()
	for i := range n {
		state := []string{"ACTIVE", "LOCKED"}[i%2]
		s.call(t, "CreateAccount", fmt.Sprintf("<account><loginName>u%03d</loginName><mail>u%03d@example.com</mail><state>%s</state></account>", i, i, state))
	}
	return n - n/2
}

func person(n int) exampletest.Resource {
	login := fmt.Sprintf("jensen%d", n)
	return exampletest.Resource{
		"schemas":  []string{"urn:ietf:params:scim:schemas:core:2.0:User"},
		"userName": login, "name": map[string]any{"givenName": "Bärbel <" + login + ">", "familyName": "O'Jensen & " + login},
		"emails": exampletest.Element("work", map[string]any{"value": login + "@example.com"}), "active": true,
	}
}

func TestLife(t *testing.T) {
	said := exampletest.Application(t)
	app := service{said["BASE"], said["KEY"]}
	g := exampletest.Start(t, exampletest.Env("DIRECTORY_PASSWORD="+said["KEY"]), exampletest.Swap("http://127.0.0.1:18202", said["BASE"]))
	exampletest.Life{
		Users: exampletest.Users{
			Person: person, Held: app.user, Fill: app.fill, Loose: []string{"name.givenName"},
			Refused: map[string]any{`emails[type eq "work"].value`: "nope"},
		},
		Groups: &exampletest.Groups{Held: app.group},
	}.Run(t, g)
}
