package config

import (
	"fmt"
	"unicode/utf8"
)

// A FileBackend is a folder of files.
type FileBackend struct {
	Path      Path
	Format    Text
	Delimiter Text
	Quote     Text
	Encoding  Text
}

// A FileTarget is a file, one record in each line.
type FileTarget struct {
	File    Text
	Columns []Text
	Keys    Text
}

func fileBackend() []key[Backend] {
	type B = Backend
	return []key[B]{
		field("path", filePath(false), func(b *B) *Path { return &b.File.Path }).required().like("data").says("The folder that the files are in."),
		field("format", choice("csv", "lines"), func(b *B) *Text { return &b.File.Format }).like("lines").
			says("How records are written: as `csv`, or as `lines` of JSON. Default: `lines` where a file's name ends in .jsonl, .ndjson or .json, `csv` elsewhere."),
		field("delimiter", character(), func(b *B) *Text { return &b.File.Delimiter }).like(`";"`).says(`Between the cells of a line of CSV: one character, such as ";" or "\t". Default: a comma.`),
		field("quote", character("none"), func(b *B) *Text { return &b.File.Quote }).like("none").
			says("Around the cells of CSV that hold delimiters, quotes or line ends: one character, or `none` where cells are never quoted. Default: a double quote."),
		field("encoding", choice("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"), func(b *B) *Text { return &b.File.Encoding }).or("utf-8").
			says("How characters are written. With utf-8, a byte order mark stays if there is one."),
	}
}

// character is one character, or one of some words.
func character(words ...string) form[Text] {
	return textForm(&shape{word: "character", types: []string{"string"}}, func(s string) (string, string) {
		for _, w := range words {
			if s == w {
				return "", ""
			}
		}
		if utf8.RuneCountInString(s) != 1 || s == "\n" || s == "\r" {
			return fmt.Sprintf("%q is not one character", s), `as in ";" or "\t"`
		}
		return "", ""
	})
}

func fileTarget() []key[Target] {
	type T = Target
	return []key[T]{
		field("file", text(), func(t *T) *Text { return &t.File.File }).required().like("users.csv").says("The file, in the folder of the backend."),
		field("columns", list(text()), func(t *T) *[]Text { return &t.File.Columns }).like("[login, password, uid]").
			says("What the columns of a CSV file are called that has no line of names. Default: the first line names them."),
		field("keys", choice("given", "uuid", "number"), func(t *T) *Text { return &t.File.Keys }).like("number").
			says("Who makes the key of a new record: `given`, the attribute that is mapped to it; `uuid`, Postern, a UUID; `number`, Postern, the next number. Default: given if an attribute is mapped to the key, else uuid."),
	}
}
