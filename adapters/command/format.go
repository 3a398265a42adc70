package command

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/postern/postern/adapters/steps"
)

// formats are the names of the formats; the first is the default.
var formats = []string{"json", "lines", "csv", "text"}

// Formats are the names of the formats.
func Formats() []string { return formats }

// A format is how standard input is written and standard output is read.
type format struct {
	write func(v any) ([]byte, error)
	read  func(data []byte) (any, error)
	json  bool
}

func formatOf(name string) (format, bool) {
	switch name {
	case "", "json":
		return format{writeJSON, steps.ReadJSON, true}, true
	case "lines":
		return format{writeLines, readLines, true}, true
	case "csv":
		return format{writeText, readCSV, false}, true
	case "text":
		return format{writeText, readText, false}, true
	}
	return format{}, false
}

func writeJSON(v any) ([]byte, error) {
	data, err := steps.WriteJSON(v)
	return append(data, '\n'), err
}

// writeLines writes each element of a list as a line of JSON.
func writeLines(v any) ([]byte, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []byte
	for _, e := range list {
		line, err := writeJSON(e)
		if err != nil {
			return nil, err
		}
		out = append(out, line...)
	}
	return out, nil
}

func readLines(data []byte) (any, error) {
	out := []any{}
	for line := range bytes.Lines(data) {
		v, err := steps.ReadJSON(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", len(out)+1, err)
		}
		if v != nil {
			out = append(out, v)
		}
	}
	return out, nil
}

func writeText(v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(v), nil
	}
	return nil, errors.New("standard input is a text")
}

var errText = errors.New("the output is no valid UTF-8")

func readText(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errText
	}
	return string(data), nil
}

// readCSV reads a table whose first line names the columns, as a list of objects.
func readCSV(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errText
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("no CSV: %w", err)
	}
	out := []any{}
	for i, row := range rows {
		if i == 0 {
			continue
		}
		object := map[string]any{}
		for n, v := range row {
			object[rows[0][n]] = v
		}
		out = append(out, object)
	}
	return out, nil
}
