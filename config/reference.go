package config

import (
	"fmt"
	"strings"
)

// Reference is docs/configuration.md: every key of the spec.
func Reference() string {
	var w referenceWriter
	w.line("# Configuration\n")
	w.line("<!-- Generated from the spec in config/ by `go generate ./config`. Do not edit. -->\n")
	s := root().shape
	w.line(s.block.doc + "\n")
	w.table(s.block.entries, "")
	w.words()
	for _, e := range s.block.entries {
		w.sections(e.shape, e.name, 2)
	}
	for _, d := range s.sharedBlocks(nil) {
		w.block(d, d.shared, 2)
	}
	return strings.TrimRight(w.String(), "\n") + "\n"
}

type referenceWriter struct{ strings.Builder }

func (w *referenceWriter) line(s string) { w.WriteString(s + "\n") }

// words explains how values are written.
func (w *referenceWriter) words() {
	w.line("## How values are written\n")
	w.line("| word | means |\n|---|---|")
	for _, row := range [][2]string{
		{"text", "Any text. In quotes if YAML would read it otherwise."},
		{"expression", "A text in the expression language. Single quotes around it keep double quotes and colons readable."},
		{"boolean", "`true` or `false`, without quotes; nothing else."},
		{"duration", "A number and its unit: `500ms`, `2s`, `1m30s`, `24h`."},
		{"size", "Bytes: `65536`, `64KiB`, `1MiB`; `KB` and `MB` count in thousands."},
		{"address", "`host:port`."},
		{"network", "`10.0.0.0/8`, `fd00::/8`, or one address."},
		{"path", "A file, from the folder of the configuration file."},
		{"secret", "A text in which `${env:NAME}`, `${file:/path}` and `${command:program argument}` are replaced. It is never printed."},
		{"date", "`2027-01-31` or `2027-01-31T12:00:00Z`."},
	} {
		w.line("| " + row[0] + " | " + row[1] + " |")
	}
	w.line("")
}

// sections writes the blocks below a shape, each with a heading.
func (w *referenceWriter) sections(s *shape, path string, level int) {
	if s.item != nil {
		w.sections(s.item, itemPath(s, path), level)
		return
	}
	if s.block != nil && s.block.shared == "" {
		w.block(s.block, path, level)
	}
}

func (w *referenceWriter) block(d *description, path string, level int) {
	fmt.Fprintf(w, "%s `%s`\n\n%s\n\n", strings.Repeat("#", min(level, 4)), path, d.doc)
	w.table(d.entries, path)
	w.example(d)
	if d.like != "" {
		return
	}
	for _, k := range d.kinds {
		if len(k.entries) > 0 {
			fmt.Fprintf(w, "With %s `%s` also:\n\n", d.kindKey, k.kind)
			w.table(k.entries, path)
		}
	}
	for _, e := range d.all() {
		w.sections(e.shape, path+"."+e.name, level+1)
	}
}

func itemPath(s *shape, path string) string {
	if s.isMap {
		return path + "." + strings.ToUpper(strings.ReplaceAll(s.word, " ", "-"))
	}
	return path + "[]"
}

func (w *referenceWriter) table(entries []entry, path string) {
	w.line("| key | value | default | |\n|---|---|---|---|")
	for _, e := range entries {
		fallback := ""
		switch {
		case e.must:
			fallback = "*required*"
		case e.fallback != "" && e.fallback != "{}":
			fallback = "`" + e.fallback + "`"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", e.name, e.shape.describe(strings.TrimPrefix(path+"."+e.name, ".")), fallback, e.doc)
	}
	w.line("")
}

// example shows the block's example, or those of its keys.
func (w *referenceWriter) example(d *description) {
	var lines []string
	for _, e := range d.entries {
		if e.example != "" {
			lines = append(lines, e.name+": "+e.example)
		}
	}
	if d.example != "" {
		lines = strings.Split(strings.TrimSpace(d.example), "\n")
	}
	if len(lines) > 0 {
		w.line("```yaml\n" + strings.Join(lines, "\n") + "\n```\n")
	}
}

// describe is a shape in words, with links to the sections of blocks.
func (s *shape) describe(path string) string {
	switch {
	case s.block != nil && s.block.shared != "":
		return blockLink(s.block.shared)
	case s.block != nil && s.short != nil:
		return s.short.describe(path) + ", or " + blockLink(path)
	case s.block != nil:
		return blockLink(path)
	case s.isMap && s.short != nil:
		return s.short.describe(path) + ", or for each " + s.word + ": " + s.item.describe(itemPath(s, path))
	case s.isMap:
		return "for each " + s.word + ": " + s.item.describe(itemPath(s, path))
	case s.item != nil && s.short != nil:
		return s.word
	case s.item != nil:
		return "list of: " + s.item.describe(itemPath(s, path))
	case len(s.enum) > 0:
		return "`" + strings.Join(s.enum, "`, `") + "`"
	}
	return s.word
}

func blockLink(path string) string {
	anchor := strings.NewReplacer(".", "", "[", "", "]", "").Replace(strings.ToLower(path))
	return fmt.Sprintf("[block](#%s)", anchor)
}
