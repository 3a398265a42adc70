package rules

import (
	"reflect"

	"github.com/postern/postern/scim"
)

// checkResult refuses an expression whose result, as far as its type is known,
// cannot be the attribute's value.
func (c *compiler) checkResult(e *expression, a *scim.Attribute, single bool) {
	several := a.MultiValued && !single
	given, fits := "", true
	switch e.kind() {
	case reflect.Bool:
		given, fits = "true or false", a.Type == scim.TypeBoolean || a.Type == scim.TypeComplex
	case reflect.Int, reflect.Int64, reflect.Float64:
		given, fits = "a number", a.Type != scim.TypeBoolean && a.Type != scim.TypeBinary
	case reflect.Slice, reflect.Array:
		given, fits = "several values", several
	case reflect.Map:
		given, fits = "a complex value", a.Type == scim.TypeComplex
	}
	if a.Type == scim.TypeComplex && a.Find("value") == nil && given == "" && e.kind() == reflect.String {
		given, fits = "a text", false
	}
	if !fits {
		c.ps.add(e.at, "", "the expression gives %s, and %s is %s", given, c.short(a), article(a))
	}
}

// checkOut refuses an expression whose result no field can hold.
func (c *compiler) checkOut(e *expression) {
	switch e.kind() {
	case reflect.Slice, reflect.Array:
		c.ps.add(e.at, `write join(…, ",")`, "the expression gives several values, and a field holds one")
	case reflect.Map:
		c.ps.add(e.at, "", "the expression gives a complex value, and a field holds a plain one")
	}
}

// checkCondition refuses a condition that may be something else than true or
// false: it would be read as false, and hide everything.
func (c *compiler) checkCondition(e *expression, what string) {
	if e.kind() == reflect.Interface {
		c.ps.add(e.at, `compare it, as in record.status == "A", or write truth(record.enabled)`,
			"%s must be true or false, and what this gives is not known", what)
	}
}

// kind is the kind of the result, Interface if it is not known.
func (e *expression) kind() reflect.Kind {
	t := e.program.Node().Type()
	if t == nil {
		return reflect.Interface
	}
	return t.Kind()
}
