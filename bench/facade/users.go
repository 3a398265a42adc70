package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

var errNoUser = fail(http.StatusNotFound, "", "There is no User with this id.")

func (s *server) getUser(ctx context.Context, c *gin.Context) error {
	no, externalID, ok, err := s.ids.key(ctx, userType, c.Param("id"))
	if err != nil {
		return err
	}
	if !ok {
		return errNoUser
	}
	e, ok, err := one(s.staff.get.QueryRowContext(ctx, no))
	if err != nil {
		return err
	}
	if !ok {
		return errNoUser
	}
	return s.sendUser(ctx, c, e, known{c.Param("id"), externalID})
}

func (s *server) sendUser(ctx context.Context, c *gin.Context, e employee, k known) error {
	us, err := s.users(ctx, []employee{e}, k)
	if err != nil {
		return err
	}
	return sendAt(c, http.StatusOK, us[0].Meta.Location, &us[0])
}

func (s *server) listUsers(ctx context.Context, c *gin.Context) error {
	start, count, err := window(c)
	if err != nil {
		return err
	}
	if f, ok := c.GetQuery("filter"); ok {
		return s.findUsers(ctx, c, f, start, count)
	}
	page, total, err := s.staff.list(ctx, count, start-1)
	if err != nil {
		return err
	}
	us, err := s.users(ctx, page)
	if err != nil {
		return err
	}
	return send(c, http.StatusOK, newList(total, start, us))
}

// findUsers knows one filter: userName eq "…".
func (s *server) findUsers(ctx context.Context, c *gin.Context, f string, start, count int) error {
	var login string
	attr, rest, _ := strings.Cut(strings.TrimSpace(f), " ")
	op, value, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if !strings.EqualFold(attr, "userName") || !strings.EqualFold(op, "eq") || json.Unmarshal([]byte(value), &login) != nil {
		return fail(http.StatusBadRequest, "invalidFilter", `Only userName eq "…" is understood.`)
	}
	e, ok, err := one(s.staff.byLogin.QueryRowContext(ctx, login))
	if err != nil {
		return err
	}
	var page []employee
	total := 0
	if ok {
		total = 1
		if start == 1 && count > 0 {
			page = []employee{e}
		}
	}
	us, err := s.users(ctx, page)
	if err != nil {
		return err
	}
	return send(c, http.StatusOK, newList(total, start, us))
}

func (s *server) createUser(ctx context.Context, c *gin.Context) error {
	var in user
	if err := read(c, &in); err != nil {
		return err
	}
	if in.UserName == "" {
		return fail(http.StatusBadRequest, "invalidValue", "userName is needed.")
	}
	boss, err := s.boss(ctx, &in)
	if err != nil {
		return err
	}
	duplicate := fail(http.StatusConflict, "uniqueness", "Another User has this userName already; it must be unique.")
	var taken bool
	if err := s.staff.taken.QueryRowContext(ctx, in.UserName).Scan(&taken); err != nil {
		return err
	}
	if taken {
		return duplicate
	}
	e, _, err := one(s.staff.insert.QueryRowContext(ctx, insertion(&in, boss)...))
	if isDuplicate(err) {
		return duplicate
	}
	if err != nil {
		return err
	}
	k, err := s.ids.enter(ctx, userType, e.no, in.ExternalID)
	if err != nil {
		return err
	}
	var bosses map[int64]known
	if boss.Valid {
		bosses = map[int64]known{boss.Int64: {id: in.Enterprise.Manager.Value}}
	}
	u := s.user(&e, k, nil, bosses, nil) // nobody has roles on the first day
	return sendAt(c, http.StatusCreated, u.Meta.Location, &u)
}

// boss is the employee that a manager's id stands for.
func (s *server) boss(ctx context.Context, in *user) (sql.NullInt64, error) {
	if in.Enterprise == nil || in.Enterprise.Manager == nil || in.Enterprise.Manager.Value == "" {
		return sql.NullInt64{}, nil
	}
	no, _, ok, err := s.ids.key(ctx, userType, in.Enterprise.Manager.Value)
	if err == nil && !ok {
		err = fail(http.StatusBadRequest, "invalidValue", "There is no User with the manager's id.")
	}
	return sql.NullInt64{Int64: no, Valid: ok}, err
}

// insertion is the values of the insert statement.
func insertion(in *user, boss sql.NullInt64) []any {
	var n name
	if in.Name != nil {
		n = *in.Name
	}
	var x enterprise
	if in.Enterprise != nil {
		x = *in.Enterprise
	}
	var a address
	for _, v := range in.Addresses {
		if v.Type == "work" {
			a = v
		}
	}
	status := "A"
	if in.Active != nil && !*in.Active {
		status = "L"
	}
	return []any{in.UserName, n.GivenName, n.FamilyName, in.DisplayName, in.NickName, in.Title,
		pick(in.Emails, "work"), pick(in.PhoneNumbers, "work"), pick(in.PhoneNumbers, "mobile"),
		a.StreetAddress, a.PostalCode, a.Locality, a.Country, x.Department, x.CostCenter, x.EmployeeNumber, in.PreferredLanguage, status, boss}
}

func pick(all []typed, kind string) string {
	for _, v := range all {
		if v.Type == kind {
			return v.Value
		}
	}
	return ""
}

// patchUser replaces title and nickName.
func (s *server) patchUser(ctx context.Context, c *gin.Context) error {
	var p patch
	if err := read(c, &p); err != nil {
		return err
	}
	var title, nick sql.NullString
	for _, op := range p.Operations {
		if !strings.EqualFold(op.Op, "replace") && !strings.EqualFold(op.Op, "add") {
			return fail(http.StatusNotImplemented, "", "Only add and replace are understood.")
		}
		var v string
		if err := json.Unmarshal(op.Value, &v); err != nil {
			return fail(http.StatusBadRequest, "invalidValue", "The value must be a string.")
		}
		switch strings.ToLower(op.Path) {
		case "title":
			title = sql.NullString{String: v, Valid: true}
		case "nickname":
			nick = sql.NullString{String: v, Valid: true}
		default:
			return fail(http.StatusNotImplemented, "", "Only title and nickName can be changed.")
		}
	}
	no, externalID, ok, err := s.ids.key(ctx, userType, c.Param("id"))
	if err != nil {
		return err
	}
	if !ok {
		return errNoUser
	}
	e, ok, err := s.staff.change(ctx, no, title, nick)
	if err != nil {
		return err
	}
	if !ok {
		return errNoUser
	}
	return s.sendUser(ctx, c, e, known{c.Param("id"), externalID})
}

// users makes users of employees: the roles of all in one statement, and the ids
// of all of a type in one. The ids of the employees themselves are looked up
// unless the caller has them.
func (s *server) users(ctx context.Context, all []employee, own ...known) ([]user, error) {
	roles, err := s.staff.rolesFor(ctx, all)
	if err != nil {
		return nil, err
	}
	people := make([]int64, 0, 2*len(all))
	var groups []int64
	seen := map[int64]bool{}
	if own == nil {
		for i := range all {
			people = append(people, all[i].no)
		}
	}
	for i := range all {
		if all[i].boss.Valid && !seen[all[i].boss.Int64] {
			seen[all[i].boss.Int64] = true
			people = append(people, all[i].boss.Int64)
		}
	}
	clear(seen)
	for _, rs := range roles {
		for _, r := range rs {
			if !seen[r] {
				seen[r] = true
				groups = append(groups, r)
			}
		}
	}
	userIDs, err := s.ids.of(ctx, userType, people)
	if err != nil {
		return nil, err
	}
	groupIDs, err := s.ids.of(ctx, groupType, groups)
	if err != nil {
		return nil, err
	}
	out := make([]user, len(all))
	for i := range all {
		k := userIDs[all[i].no]
		if own != nil {
			k = own[i]
		}
		out[i] = s.user(&all[i], k, roles[i], userIDs, groupIDs)
	}
	return out, nil
}

func (s *server) user(e *employee, k known, roles []int64, people, groups map[int64]known) user {
	active := e.status == "A"
	u := user{Schemas: userSchemas, ID: k.id, ExternalID: k.externalID, UserName: e.login, DisplayName: e.shown, NickName: e.nick,
		Title: e.title, UserType: "Employee", PreferredLanguage: e.language, Active: &active,
		Meta: meta{ResourceType: userType, Created: moment(e.hired), LastModified: moment(e.changed), Location: s.base + "/Users/" + k.id}}
	if !active {
		u.UserType = "Former employee"
	}
	if e.first != "" || e.last != "" {
		u.Name = &name{FamilyName: e.last, GivenName: e.first}
	}
	if e.email != "" {
		u.Emails = []typed{{e.email, "work"}}
	}
	if e.phone != "" {
		u.PhoneNumbers = append(u.PhoneNumbers, typed{e.phone, "work"})
	}
	if e.mobile != "" {
		u.PhoneNumbers = append(u.PhoneNumbers, typed{e.mobile, "mobile"})
	}
	if e.street != "" || e.zip != "" || e.city != "" || e.country != "" {
		u.Addresses = []address{{e.street, e.city, e.zip, e.country, "work"}}
	}
	for _, r := range roles {
		id := groups[r].id
		u.Groups = append(u.Groups, reference{id, s.base + "/Groups/" + id, "direct"})
	}
	x := &enterprise{EmployeeNumber: e.badge, CostCenter: e.costCenter, Department: e.dept}
	if e.boss.Valid {
		id := people[e.boss.Int64].id
		x.Manager = &reference{Value: id, Ref: s.base + "/Users/" + id}
	}
	if *x != (enterprise{}) {
		u.Enterprise = x
	}
	return u
}

// moment makes an instant of SQLite's "2009-03-02 09:00:00".
func moment(s string) string {
	if len(s) != 19 {
		return ""
	}
	return s[:10] + "T" + s[11:] + "Z"
}
