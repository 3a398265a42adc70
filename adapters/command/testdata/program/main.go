// Command program is what the tests of package command call: a list of objects
// behind a command line, and everything that a program should not do.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() { os.Exit(program(os.Getenv("STORE"), os.Args[1:])) }

type object = map[string]any

// decode keeps numbers as they are written.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return d.Decode(into)
}

// A store is what the program keeps.
type store struct {
	Last    int
	Objects []object
}

// program is the system under the adapter: a list of objects in a file.
func program(file string, args []string) int {
	if status, odd := misbehave(args); odd {
		return status
	}
	lock, err := os.OpenFile(file+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 69
	}
	s := &store{}
	if data, err := os.ReadFile(file); err == nil {
		_ = decode(data, s)
	}
	status := s.do(args)
	if data, err := json.Marshal(s); err != nil || os.WriteFile(file, data, 0o600) != nil {
		return 74
	}
	return status
}

func (s *store) do(args []string) int {
	options, rest := map[string][]string{}, []string{}
	for i, a := range args[1:] {
		if a == "--" {
			rest = args[i+2:]
			break
		}
		name, value, _ := strings.Cut(strings.TrimPrefix(a, "--"), "=")
		options[name] = append(options[name], value)
	}
	in := object{}
	if data, _ := io.ReadAll(os.Stdin); len(data) > 0 {
		if err := decode(data, &in); err != nil {
			return 65
		}
	}
	switch args[0] {
	case "list":
		return s.list(s.Objects, options["lines"] != nil)
	case "find":
		return s.list(slices.DeleteFunc(slices.Clone(s.Objects), func(o object) bool { return o["name"] != rest[0] }), false)
	case "get":
		return s.get(in["id"])
	case "create":
		return s.create(in, options["id"])
	case "update":
		return s.update(in)
	case "delete":
		return s.remove(rest[0])
	case "members":
		return s.members(options["id"][0], options["add"], options["remove"])
	}
	return 64
}

func show(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return 70
	}
	fmt.Println(string(data))
	return 0
}

func (s *store) list(all []object, lines bool) int {
	if !lines {
		return show(append([]object{}, all...))
	}
	for _, o := range all {
		show(o)
	}
	return 0
}

func (s *store) at(id any) int {
	return slices.IndexFunc(s.Objects, func(o object) bool { return o["id"] == id })
}

func (s *store) get(id any) int {
	if i := s.at(id); i >= 0 {
		return show(s.Objects[i])
	}
	return 67
}

func (s *store) taken(name any, but int) bool {
	return slices.ContainsFunc(s.Objects, func(o object) bool { return o["name"] == name && s.at(o["id"]) != but })
}

func (s *store) create(o object, id []string) int {
	if s.taken(o["name"], -1) {
		return 9
	}
	s.Last++
	if o["id"] = strconv.Itoa(s.Last); id != nil {
		o["id"] = id[0]
	}
	s.Objects = append(s.Objects, o)
	return show(o)
}

func (s *store) update(in object) int {
	i := s.at(in["id"])
	if i < 0 {
		return 6
	}
	set, _ := in["set"].(object)
	if s.taken(set["name"], i) {
		return 9
	}
	for name, v := range set {
		s.Objects[i][name] = v
	}
	return show(s.Objects[i])
}

func (s *store) remove(id string) int {
	i := s.at(id)
	if i < 0 {
		return 6
	}
	s.Objects = slices.Delete(s.Objects, i, i+1)
	return 0
}

func (s *store) members(id string, add, remove []string) int {
	i := s.at(id)
	if i < 0 {
		return 6
	}
	list, _ := s.Objects[i]["members"].([]any)
	for _, m := range add {
		if !slices.Contains(list, any(m)) {
			list = append(list, m)
		}
	}
	s.Objects[i]["members"] = slices.DeleteFunc(list, func(m any) bool { return slices.Contains(remove, m.(string)) })
	return 0
}

// misbehave is what programs do that are not as they should be.
func misbehave(args []string) (status int, odd bool) {
	switch args[0] {
	case "arguments":
		return show(args[1:]), true
	case "environment":
		return show(os.Environ()), true
	case "input":
		data, _ := io.ReadAll(os.Stdin)
		return show(string(data)), true
	case "exit":
		status, _ := strconv.Atoi(args[1])
		fmt.Fprintln(os.Stderr, "the program's own words")
		return status, true
	case "say":
		fmt.Print(args[1])
		return 0, true
	case "endless":
		for {
			if _, err := fmt.Println(strings.Repeat("x", 1000)); err != nil {
				return 1, true
			}
		}
	case "child": // what it starts outlives it
		cmd := exec.Command(os.Args[0], "hang", args[1])
		cmd.Stdout = os.Stdout
		if err := cmd.Start(); err != nil {
			return 1, true
		}
		fmt.Print("[]")
		if args[2] == "wait" {
			_ = cmd.Wait()
		}
		return 0, true
	case "hang":
		_ = os.WriteFile(args[1], []byte(strconv.Itoa(os.Getpid())), 0o600)
		time.Sleep(time.Minute)
		return 0, true
	case "signal":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return 0, false
}
