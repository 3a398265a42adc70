package draft

import (
	"slices"
	"strings"
)

// A guess is an attribute, and the names under which applications keep it, in small
// letters without anything between the words. What comes first is likelier.
type guess struct {
	attribute string
	names     []string
}

// guesses are in the order in which attributes are written.
var guesses = []guess{
	{"userName", []string{"login", "username", "loginname", "logon", "logonname", "accountname", "account", "userlogin", "userid", "samaccountname", "uid"}},
	{"externalId", []string{"externalid", "extid"}},
	{"name.givenName", []string{"firstname", "givenname", "forename", "fname", "vorname", "prenom"}},
	{"name.familyName", []string{"lastname", "familyname", "surname", "lname", "nachname", "secondname"}},
	{"displayName", []string{"displayname", "shownas", "shownname", "fullname", "realname", "commonname", "cn", "name"}},
	{"nickName", []string{"nickname", "nick", "alias"}},
	{"title", []string{"jobtitle", "title", "position", "jobname"}},
	{"preferredLanguage", []string{"preferredlanguage", "language", "lang"}},
	{"locale", []string{"locale"}},
	{"timezone", []string{"timezone", "tz", "timezonename"}},
	{`emails[type eq "work"].value`, []string{"email", "mail", "emailaddress", "mailaddress", "workemail", "workmail", "useremail"}},
	{`emails[type eq "home"].value`, []string{"privateemail", "privatemail", "homeemail", "personalemail", "secondaryemail"}},
	{`phoneNumbers[type eq "work"].value`, []string{"phone", "telephone", "tel", "phonenumber", "workphone", "officephone", "telephonenumber"}},
	{`phoneNumbers[type eq "mobile"].value`, []string{"mobile", "mobilephone", "cell", "cellphone", "mobilenumber", "handy"}},
	{`phoneNumbers[type eq "fax"].value`, []string{"fax", "faxnumber"}},
	{`addresses[type eq "work"].streetAddress`, []string{"street", "streetaddress", "address", "address1"}},
	{`addresses[type eq "work"].postalCode`, []string{"zip", "postalcode", "postcode", "zipcode", "plz"}},
	{`addresses[type eq "work"].locality`, []string{"city", "town", "locality", "ort"}},
	{`addresses[type eq "work"].region`, []string{"region", "province", "county"}},
	{`addresses[type eq "work"].country`, []string{"country", "countrycode"}},
	{"enterprise:employeeNumber", []string{"employeenumber", "personnelno", "personnelnumber", "staffno", "staffnumber", "badgeno", "badgenumber", "employeeno", "empno"}},
	{"enterprise:department", []string{"department", "dept", "departmentname", "deptname"}},
	{"enterprise:costCenter", []string{"costcenter", "costcentre", "kostenstelle"}},
	{"enterprise:division", []string{"division"}},
	{"enterprise:organization", []string{"organization", "organisation", "company", "companyname"}},
	{"meta.created", []string{"created", "createdat", "createdon", "createdate", "creationdate", "hired", "hiredate", "registered"}},
	{"meta.lastModified", []string{"lastmodified", "modified", "modifiedat", "updated", "updatedat", "updatedon", "changed", "changedat", "modificationdate"}},
}

var (
	managerNames  = []string{"managerid", "manager", "bossno", "boss", "bossid", "supervisorid", "supervisor", "reportsto", "managerno"}
	activeNames   = []string{"active", "isactive", "enabled", "isenabled", "status", "state", "accountstatus", "userstatus"}
	inactiveNames = []string{"disabled", "isdisabled", "locked", "islocked", "blocked", "isblocked", "inactive", "suspended", "issuspended", "deactivated"}
	scopeNames    = []string{"kind", "type", "usertype", "category", "builtin", "isbuiltin", "system", "issystem", "role", "service", "isservice", "admin", "isadmin", "source"}
	secretNames   = []string{"password", "passwd", "pwd", "passwordhash", "passhash", "pwhash", "hash", "salt", "secret", "token"}
	titleNames    = []string{"displayname", "title", "name", "label", "groupname", "rolename", "description", "code"}
	peopleTables  = []string{"user", "users", "employee", "employees", "person", "persons", "people", "account", "accounts", "member", "members", "staff", "appuser", "appusers", "useraccount", "useraccounts"}
	groupTables   = []string{"group", "groups", "role", "roles", "team", "teams", "usergroup", "usergroups", "department", "departments"}
	identifiers   = []string{"id", "uuid", "guid", "key", "userid", "uid", "loginid"}
)

// bare is a name as the lists above have it.
func bare(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// called finds the likeliest of some names, "" if none of them is called like that.
func called(wanted []string, names []string) string {
	for _, w := range wanted {
		for _, n := range names {
			if bare(n) == w {
				return n
			}
		}
	}
	return ""
}

// matched pairs attributes with names, each name once, in the order of guesses.
func matched(names []string) (out []pair, rest []string) {
	rest = slices.Clone(names)
	for _, g := range guesses {
		if n := called(g.names, rest); n != "" {
			out = append(out, pair{g.attribute, n})
			rest = slices.DeleteFunc(rest, func(r string) bool { return r == n })
		}
	}
	return out, rest
}

// place is where a pair stands among the guesses.
func place(x pair) int {
	return slices.IndexFunc(guesses, func(g guess) bool { return g.attribute == x.attribute })
}

// A pair is an attribute and where it comes from.
type pair struct{ attribute, field string }

// meaning guesses whether a code says that an account is active.
func meaning(code string) (active, sure bool) {
	switch strings.ToLower(code) {
	case "1", "a", "active", "enabled", "e", "y", "yes", "t", "true", "ok", "aktiv", "live", "on", "current":
		return true, true
	case "0", "l", "i", "inactive", "disabled", "d", "n", "no", "f", "false", "locked", "left", "x", "deleted", "blocked", "suspended", "off", "inaktiv", "3":
		return false, true
	}
	return false, false
}
