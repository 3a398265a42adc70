package config

import "strings"

// A CommandBackend is a program that is called.
type CommandBackend struct {
	Program     Path
	Arguments   []Text
	Directory   Path
	Environment []NamedSecret
	Secrets     []NamedSecret
	Probe       *Probe
	Format      Text
	Size        Size
	Dashes      Bool
}

var byProgram = manner{
	shared: "run", doc: "One call of an operation: when it is needed, the arguments and the input, what counts as a failure, what it yields.",
	example: "run: [user, list]\nrecords: body",
	call:    runKeys, check: checkRun,
	add: `{run: [group, join, "--group={key}", "--user={item}"]}`, remove: `{run: [group, leave, "--group={key}", "--user={item}"]}`,
}

// runKeys say one call of a program.
func runKeys() []key[Step] {
	type S = Step
	return []key[S]{
		field("run", list(anyText()), func(s *S) *[]Text { return &s.Run }).like(`[user, show, --, "{key}"]`).
			says("The arguments, each one argument whatever it holds. `{…}` holds an expression; a list makes several arguments, and an option without a value, `--name={…}`, is left out."),
		field("send", expression(), func(s *S) *Text { return &s.Send }).like("record").says("What the program gets on its standard input, as data: an expression. Default: nothing."),
		field("format", choice(commandFormats...), func(s *S) *Text { return &s.Format }).like("lines").says("How standard input is written and standard output is read."),
	}
}

var commandFormats = []string{"json", "lines", "csv", "text"}

// checkRun wants a run, and remembers where the step stands.
func checkRun(r *reader, t *Tree, where string, s *Step) {
	if s.At = t.place(); s.At.Line == 0 {
		s.At = t.Text
	}
	if t.Kind == MappingNode && !t.has("run") && !s.computes() {
		r.report.Errorf(t.place(), "as in run: [user, list]", "%s makes no call", where)
	}
}

func commandBackend() []key[Backend] {
	type B = Backend
	return []key[B]{
		field("program", programPath(), func(b *B) *Path { return &b.Command.Program }).required().like("./accounts.sh").
			says("The program: a path, or a name that is looked for in PATH. There is no shell."),
		field("arguments", list(anyText()), func(b *B) *[]Text { return &b.Command.Arguments }).like("[--json]").says("Arguments before those of every call, as they are."),
		field("directory", filePath(false), func(b *B) *Path { return &b.Command.Directory }).like("state").says("Where the program runs. Default: the folder of this file."),
		field("environment", namedSecrets("variable"), func(b *B) *[]NamedSecret { return &b.Command.Environment }).like(`{ACCOUNTS_TOKEN: "${env:ACCOUNTS_TOKEN}"}`).
			says("What the program sees beside PATH, HOME, LANG, LC_ALL, LC_CTYPE, TZ and TMPDIR: nothing else of Postern's environment."),
		field("secrets", namedSecrets("secret"), func(b *B) *[]NamedSecret { return &b.Command.Secrets }).like(`{password: "${env:ACCOUNTS_PASSWORD}"}`).
			says("Secrets for `send`, as `secret.password`. They cannot be arguments, which every user of the machine can see."),
		field("probe", optional(commandProbe()), func(b *B) **Probe { return &b.Command.Probe }).
			says("A call that proves that the program sees the directory. Before it is believed that nothing is there, the proof is asked for."),
		field("format", choice(commandFormats...), func(b *B) *Text { return &b.Command.Format }).like("json").
			says("How standard input is written and standard output is read, where a call does not say it: `json`, `lines` of JSON, `csv` with the names of the columns in its first line, `text`. Default: json."),
		field("size", size(), func(b *B) *Size { return &b.Command.Size }).or("16MiB").says("The largest output that is read."),
		field("dashes", boolean(), func(b *B) *Bool { return &b.Command.Dashes }).or("false").
			says("The program takes an argument that begins with a dash as a value where a value is expected. Otherwise a value that stands alone needs `--` before it."),
	}
}

func commandProbe() form[Probe] {
	return block[Probe]{title: "probe", doc: "A call whose answer shows that the program sees what it should.", keys: append(
		inStep(runKeys(), func(p *Probe) *Step { return &p.Step }),
		field("expect", expression(), func(p *Probe) *Text { return &p.Expect }).required().like("body.admin").says("What must be true of the answer."),
		field("every", duration(0), func(p *Probe) *Duration { return &p.Every }).or("30s").
			says("How long one proof is good for calls that find something."),
	), check: func(r *reader, t *Tree, where string, p *Probe) { checkRun(r, t, where, &p.Step) }}.form()
}

// programPath is a path that is resolved if it has a slash, else a name.
func programPath() form[Path] {
	f := filePath(false)
	read := f.read
	f.read = func(r *reader, t *Tree, into *Path) {
		if read(r, t, into); !strings.Contains(into.Value, "/") {
			into.Resolved = into.Value
		}
	}
	return f
}
