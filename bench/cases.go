package main

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// A task is one kind of request that is timed.
type task struct {
	name   string
	target float64
	status int
	least  int // users that are needed
	// make makes the n-th request of a turn. Both servers get the same.
	make func(s *server, r *rand.Rand, n int) request
	// reset, if set, undoes before each turn what the last one did.
	reset string
	// grows says that every request makes a record, so that n must never repeat.
	grows bool
}

// goal is the share of the façade's throughput that is wanted of Postern.
const goal = 0.80

// tasks are in an order in which none spoils the next.
func tasks(users int) []task {
	all := []task{
		{name: "get-by-id", status: 200, make: func(s *server, r *rand.Rand, _ int) request {
			return request{method: "GET", path: "/Users/" + s.users[r.IntN(users)]}
		}},
		{name: "userName-eq", status: 200, make: func(s *server, r *rand.Rand, _ int) request {
			return request{method: "GET", path: "/Users?filter=userName%20eq%20%22" + loginOf(r.IntN(users)) + "%22"}
		}},
		{name: "list-100", status: 200, make: func(*server, *rand.Rand, int) request {
			return request{method: "GET", path: "/Users?startIndex=1&count=100"}
		}},
		{name: "list-100-deep", status: 200, least: 1000, make: func(*server, *rand.Rand, int) request {
			return request{method: "GET", path: fmt.Sprintf("/Users?startIndex=%d&count=100", users-200)}
		}},
		{name: "patch-two-attributes", status: 200, make: func(s *server, r *rand.Rand, n int) request {
			return request{method: "PATCH", path: "/Users/" + s.users[r.IntN(users)], body: fmt.Appendf(nil,
				`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`+
					`{"op":"replace","path":"title","value":"Title %d"},{"op":"replace","path":"nickName","value":"Nick %d"}]}`, n+r.IntN(1e9), n)}
		}},
		{name: "member-add-10", status: 204, make: joinTeam, reset: leaveTeams},
		{name: fmt.Sprintf("member-add-%d", users), status: 204, least: 100_000, make: joinAll, reset: leaveAll},
		{name: "create", status: 201, make: create, grows: true},
	}
	var fit []task
	for _, t := range all {
		if t.target = goal; users >= t.least {
			fit = append(fit, t)
		}
	}
	return fit
}

func addMember(group, user string) request {
	return request{method: "PATCH", path: "/Groups/" + group, body: []byte(
		`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"` + user + `"}]}]}`)}
}

// mostTeams is over how many small groups the new members are spread.
const mostTeams = 1000

// joinTeam adds to one team after the other a user who is not in it.
func joinTeam(s *server, _ *rand.Rand, n int) request {
	spread := min(mostTeams, len(s.teams))
	team := n % spread
	user := ((team+1)*teamSize + n/spread) % len(s.users)
	return addMember(s.teams[team], s.users[user])
}

// leaveTeams leaves in each team those whom the generator put there.
const leaveTeams = `DELETE FROM employee_role WHERE role_id >= 1001 AND role_id <> 1001 + (emp_no - 1001) / 10`

// part is which share of the group of all is outside when a turn begins.
const part = 5

// joinAll adds to the group of all who is outside.
func joinAll(s *server, _ *rand.Rand, n int) request {
	return addMember(s.all, s.users[n*part%(len(s.users)/part*part)])
}

const leaveAll = `DELETE FROM employee_role WHERE role_id = 1 AND (emp_no - 1001) % 5 = 0`

func create(s *server, r *rand.Rand, n int) request {
	return request{method: "POST", path: "/Users", body: fmt.Appendf(nil,
		`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],`+
			`"externalId":"00u%[1]d","userName":"New.User.%[1]d","name":{"givenName":"New","familyName":"User"},"displayName":"New User %[1]d",`+
			`"title":"Engineer","preferredLanguage":"de-DE","active":true,"emails":[{"value":"new.user.%[1]d@example.com","type":"work","primary":true}],`+
			`"phoneNumbers":[{"value":"+49 30 5551 %[1]d","type":"work"},{"value":"+49 171 %[1]d","type":"mobile"}],`+
			`"addresses":[{"type":"work","streetAddress":"Invalidenstraße %[1]d","postalCode":"10115","locality":"Berlin","country":"DE"}],`+
			`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"N%[1]d","costCenter":"D100","department":"Engineering",`+
			`"manager":{"value":"%[2]s"}}}`, n, s.users[r.IntN(len(s.users))])}
}

// prepare undoes what the last turn did.
func (t *task) prepare(ctx context.Context, s *server) error {
	if t.reset == "" {
		return nil
	}
	return direct(ctx, s.staff, t.reset)
}
