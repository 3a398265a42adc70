package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

var errNoGroup = fail(http.StatusNotFound, "", "There is no Group with this id.")

func (s *server) group(id, title string) group {
	return group{Schemas: groupSchemas, ID: id, DisplayName: title, Meta: meta{ResourceType: groupType, Location: s.base + "/Groups/" + id}}
}

func (s *server) getGroup(ctx context.Context, c *gin.Context) error {
	id := c.Param("id")
	no, title, err := s.role(ctx, id)
	if err != nil {
		return err
	}
	g := s.group(id, title)
	if c.Query("excludedAttributes") != "members" {
		if g.Members, err = s.members(ctx, no); err != nil {
			return err
		}
	}
	return sendAt(c, http.StatusOK, g.Meta.Location, &g)
}

// role is the role behind an id.
func (s *server) role(ctx context.Context, id string) (no int64, title string, err error) {
	no, _, ok, err := s.ids.key(ctx, groupType, id)
	if err != nil {
		return 0, "", err
	}
	if !ok {
		return 0, "", errNoGroup
	}
	err = s.staff.role.QueryRowContext(ctx, no).Scan(&title)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoGroup
	}
	return no, title, err
}

func (s *server) members(ctx context.Context, role int64) ([]reference, error) {
	keys, err := numbers(s.staff.members.QueryContext(ctx, role))
	if err != nil {
		return nil, err
	}
	ids, err := s.ids.of(ctx, userType, keys)
	if err != nil {
		return nil, err
	}
	out := make([]reference, len(keys))
	for i, k := range keys {
		id := ids[k].id
		out[i] = reference{id, s.base + "/Users/" + id, userType}
	}
	return out, nil
}

func (s *server) listGroups(ctx context.Context, c *gin.Context) error {
	start, count, err := window(c)
	if err != nil {
		return err
	}
	if c.Query("excludedAttributes") != "members" {
		return fail(http.StatusNotImplemented, "", "Groups are listed with excludedAttributes=members only.")
	}
	var total int
	if err := s.staff.roleCount.QueryRowContext(ctx).Scan(&total); err != nil {
		return err
	}
	rows, err := s.staff.roles.QueryContext(ctx, count, start-1)
	if err != nil {
		return err
	}
	defer rows.Close()
	var keys []int64
	var titles []string
	for rows.Next() {
		var no int64
		var title string
		if err := rows.Scan(&no, &title); err != nil {
			return err
		}
		keys, titles = append(keys, no), append(titles, title)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	ids, err := s.ids.of(ctx, groupType, keys)
	if err != nil {
		return err
	}
	all := make([]group, len(keys))
	for i, k := range keys {
		all[i] = s.group(ids[k].id, titles[i])
	}
	return send(c, http.StatusOK, newList(total, start, all))
}

// patchGroup adds and removes members.
func (s *server) patchGroup(ctx context.Context, c *gin.Context) error {
	var p patch
	if err := read(c, &p); err != nil {
		return err
	}
	var join, leave []string
	for _, op := range p.Operations {
		var values []struct {
			Value string `json:"value"`
		}
		if op.Path != "members" || json.Unmarshal(op.Value, &values) != nil {
			return fail(http.StatusNotImplemented, "", "Only members can be added and removed.")
		}
		for _, v := range values {
			switch strings.ToLower(op.Op) {
			case "add":
				join = append(join, v.Value)
			case "remove":
				leave = append(leave, v.Value)
			}
		}
	}
	no, _, err := s.role(ctx, c.Param("id"))
	if err != nil {
		return err
	}
	keys, err := s.ids.keys(ctx, userType, append(join, leave...))
	if err != nil {
		return err
	}
	for _, k := range keys[:len(join)] {
		if k == 0 {
			return fail(http.StatusBadRequest, "invalidValue", "There is no User with this id.")
		}
	}
	if err := s.staff.changeMembers(ctx, no, keys[:len(join)], keys[len(join):]); err != nil {
		return err
	}
	c.Header("Location", s.base+"/Groups/"+c.Param("id"))
	c.Status(http.StatusNoContent)
	return nil
}
