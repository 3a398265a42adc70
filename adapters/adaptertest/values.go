package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/postern/postern/adapters"
)

// texts are values that must come back byte for byte.
var texts = []string{
	"plain", " leading", "trailing ", "  ", "\t", "two\nlines", "crlf\r\n",
	"007", "7", "7.0", "1e3", "-0", "+1", "0x10", "NaN", "Infinity", "true", "null", "NULL", "nil",
	"1970-01-01", "12:30",
	`O'Brien`, `"quoted"`, "back`tick", `back\slash`, `\`, `\'`, `''`, `'`, `"`, `%`, `_`, `100%`, `a_b`, `[a]`, `*`, `?`, `$1`, `:name`, `@name`, `?1`, `{}`, `{{x}}`,
	`'; DROP TABLE person; --`, `" OR ""="`, `') OR ('1'='1`, `1; DELETE FROM person`, `*)(uid=*`, `<b>&amp;</b>`,
	"é", "e\u0301", "ß", "İ", "ı", "Σς", "\u212a", "ﬁ", "日本語", "😀", "👩‍👩‍👧", "\u202eabc", "\u200b", "\ufeff", "\ufffd", "\U0010ffff",
	strings.Repeat("x", 255), strings.Repeat("é", 300), strings.Repeat("long ", 13000),
}

// checkTexts stores each text in a plain and in a unique field, by create and
// by update, and wants it back as it was.
func checkTexts(ctx context.Context, r *rig) error {
	var errs []error
	for i, text := range texts {
		name := fmt.Sprintf("n%d", i)
		rec, err := r.put(ctx, values{r.f.Name: name, r.f.Nick: text})
		if err != nil {
			return err
		}
		errs = append(errs, r.holds(rec, values{r.f.Name: name, r.f.Nick: text}))
		want := values{r.f.Name: name, r.f.Nick: text + "!"}
		answer, err := r.Update(ctx, rec.Key, sets(rec, want), adapters.AllFields)
		if err != nil {
			return fmt.Errorf("update from %.40q: %w", text, err)
		}
		errs = append(errs, r.holds(answer, want), r.stored(ctx, rec.Key, want))
	}
	return errors.Join(append(errs, r.count(ctx, len(texts)))...)
}

// checkTextsUnique wants texts that differ to differ in a unique field, too.
func checkTextsUnique(ctx context.Context, r *rig) error {
	all := append([]string{"ends", "ends ", " ends", "07", "7.00", "1000"}, texts...)
	n := 0
	seen := map[string]bool{"": true}
	for _, text := range all {
		if strings.TrimSpace(text) == "" || len(text) > 1000 {
			continue
		}
		if r.h.FoldedUnique && text == "null" { // there is NULL
			continue
		}
		if r.h.Prepare != nil {
			if as := r.h.Prepare(text); seen[as] {
				continue
			} else {
				seen[as] = true
			}
		}
		rec, err := r.put(ctx, values{r.f.Name: text})
		if err != nil {
			return err
		}
		if err := r.holds(rec, values{r.f.Name: text}); err != nil {
			return err
		}
		n++
	}
	return r.count(ctx, n)
}

// checkRefused stores texts that a backend may refuse, but never keep halves of.
func checkRefused(ctx context.Context, r *rig) error {
	var errs []error
	for i, text := range []string{"nul\x00inside", "\x00", "end\x00", "bad\xffutf8", "\xc3", "\xed\xa0\x80"} {
		name := fmt.Sprintf("n%d", i)
		made, err := r.Create(ctx, r.record(values{r.f.Name: name, r.f.Nick: text}), adapters.AllFields)
		if err != nil {
			errs = append(errs, wantKind(fmt.Sprintf("create with %q", text), err, adapters.Invalid))
			continue
		}
		want := values{r.f.Name: name, r.f.Nick: text}
		errs = append(errs, r.holds(made, want), r.stored(ctx, made.Key, want))
	}
	return errors.Join(errs...)
}

func checkNumbers(ctx context.Context, r *rig) error {
	var errs []error
	for i, n := range []int64{0, 1, -1, 1 << 31, 1 << 53, 1<<53 + 1, math.MaxInt64, math.MinInt64} {
		name := fmt.Sprintf("n%d", i)
		rec, err := r.put(ctx, values{r.f.Name: name, r.f.Age: n})
		if err != nil {
			return err
		}
		errs = append(errs, r.holds(rec, values{r.f.Name: name, r.f.Age: n}))
	}
	return errors.Join(errs...)
}

// checkKeys asks for keys that no record has, among them other spellings of
// keys that are there: one record has one key.
func checkKeys(ctx context.Context, r *rig) error {
	rec, err := r.put(ctx, r.someone(1))
	if err != nil {
		return err
	}
	k := string(rec.Key)
	odd := []string{
		"", " ", "0", "-1", "no such key", "99999999999999999999999999", "1e0", "1.0", "0x1", "true", "NULL", "%", "_", "*", "?", ".", "..", "/", "a/b",
		k + " ", " " + k, "0" + k, "+" + k, k + ".0", k + "e0", k + "\x00", k + "%", k + "|", `\` + k, k + "\n", "'" + k + "'",
		k + " OR 1=1", k + "' OR '1'='1", k + "; DROP TABLE person", `" OR ""="`, "*)(uid=*", "é", "😀", "\xff", "\x00", strings.Repeat("9", 5000),
	}
	var errs []error
	for _, o := range odd {
		key := adapters.Key(o)
		if key == rec.Key {
			continue
		}
		_, errGet := r.Get(ctx, key, adapters.AllFields)
		_, errUpdate := r.Update(ctx, key, set(rec, r.f.Nick, "x"), adapters.AllFields)
		what := fmt.Sprintf("%.40q where there is %q", o, k)
		errs = append(errs,
			wantKind("get "+what, errGet, adapters.NotFound),
			wantKind("update "+what, errUpdate, adapters.NotFound),
			wantKind("delete "+what, r.Delete(ctx, key), adapters.NotFound))
		if r.field(r.f.Members).Delta {
			errs = append(errs, wantKind("add a member to "+what, r.alter(ctx, key, r.members(9), nil), adapters.NotFound))
		}
	}
	return errors.Join(append(errs, r.stored(ctx, rec.Key, r.someone(1)), r.count(ctx, 1))...)
}

// checkGivenKeys creates records under odd keys.
func checkGivenKeys(ctx context.Context, r *rig) error {
	keys := []string{"a", "A", " a", "a ", "0", "00", "1.0", "é", "e\u0301", "😀", `a'b`, `a"b`, `a|b`, `a\b`, `a\|b`, "a/b", "a?b#c", "a%20b", "%", "_", "'; DROP TABLE person; --"}
	for i, k := range keys {
		rec := r.record(r.someone(i))
		rec.Key = adapters.Key(k)
		made, err := r.Create(ctx, rec, adapters.AllFields)
		if err != nil {
			return fmt.Errorf("create with the key %q: %w", k, err)
		}
		if made.Key != rec.Key {
			return fmt.Errorf("create with the key %q answers the key %q", k, made.Key)
		}
	}
	var errs []error
	for i, k := range keys {
		errs = append(errs, r.stored(ctx, adapters.Key(k), r.someone(i)))
	}
	return errors.Join(errs...)
}

func checkNoKey(ctx context.Context, r *rig) error {
	rec := r.record(r.someone(1))
	rec.Key = ""
	_, err := r.Create(ctx, rec, adapters.AllFields)
	return wantKind("create without a key", err, adapters.Invalid)
}
