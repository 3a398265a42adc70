package main

import (
	"fmt"
	"testing"
)

// What the quickstart has no use for: every type, mutability and returned of
// RFC 7643 section 7, a required extension, a password, and columns that the
// configuration does not map.

const device = "urn:example:scim:schemas:Gadget"
const warranty = "urn:example:scim:schemas:Warranty"

const fullYAML = `
gateway: {listen: 127.0.0.1:8080, admin: 127.0.0.1:8081}
identities: sqlite:state/postern.db
clients:
  quickstart: {token: quickstart}
  strict: {token: strict-token, profile: strict, unknown: reject}
  second: {token: second-token}
backends:
  main: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
schemas:
  - id: urn:example:scim:schemas:Gadget
    name: Gadget
    description: A thing with a plug.
    attributes:
      serial: {type: string, required: true, caseExact: true, mutability: immutable, uniqueness: server}
      label: {type: string, required: true}
      ports: integer
      weight: decimal
      online: boolean
      bought: dateTime
      firmware: binary
      manual: {type: reference, referenceTypes: [external]}
      pin: {type: string, mutability: writeOnly, returned: never}
      note: {type: string, returned: request}
      model: {type: string, returned: always}
      state: {type: string, canonicalValues: [new, used], enforceCanonical: true}
      asset: {type: string, mutability: readOnly}
      tags: {type: string, multiValued: true}
      place: {type: complex, subAttributes: {room: string, rack: integer}}
      links: {type: complex, multiValued: true, subAttributes: {value: string, type: string, primary: boolean}}
  - id: urn:example:scim:schemas:Warranty
    name: Warranty
    attributes:
      until: {type: string, required: true}
      company: string
resources:
  User:
    target: {backend: main, table: person, key: pid}
    attributes:
      userName: login
      title: title
      password: {name: secret, out: 'value'}
      x509Certificates[type eq "login"].value: cert
      emails[type eq "work"].value: mail
      emails[type eq "home"].value: home_mail
  Gadget:
    endpoint: /Gadgets
    schema: Gadget
    extensions: [{schema: Warranty, required: true}]
    target: {backend: main, table: device, key: did}
    attributes:
      serial: serial_no
      label: label
      ports: ports
      weight: weight
      online: online
      bought: bought
      firmware: firmware
      manual: manual
      pin: {name: pin, out: 'value'}
      note: note
      model: model
      state: {name: state, default: new}
      asset: asset_no
      tags: {name: tags, split: ","}
      place.room: room
      place.rack: rack
      links[type eq "web"].value: web
      links[type eq "web"].primary: web_first
      links[type eq "doc"].value: doc
      links[type eq "doc"].primary: doc_first
      Warranty:until: warranty_until
      Warranty:company: warranty_by
`

const fullSQL = `
CREATE TABLE person (pid INTEGER PRIMARY KEY, login TEXT NOT NULL, title TEXT, secret TEXT, cert TEXT, mail TEXT, home_mail TEXT, unmapped TEXT DEFAULT 'keep');
CREATE UNIQUE INDEX person_login ON person (login COLLATE NOCASE);
CREATE TABLE device (did INTEGER PRIMARY KEY, serial_no TEXT NOT NULL, label TEXT NOT NULL, ports INTEGER, weight REAL, online INTEGER,
    bought TEXT, firmware TEXT, manual TEXT, pin TEXT, note TEXT, model TEXT, state TEXT, asset_no TEXT DEFAULT 'A-1', tags TEXT,
    room TEXT, rack INTEGER, web TEXT, web_first INTEGER, doc TEXT, doc_first INTEGER, warranty_until TEXT, warranty_by TEXT, unmapped TEXT DEFAULT 'keep');
CREATE UNIQUE INDEX device_serial ON device (serial_no);
INSERT INTO person (pid, login) VALUES (770000000, 'first');
INSERT INTO device (did, serial_no, label, warranty_until) VALUES (880000000, 'S-0', 'first', '2030');
`

// full starts the program in front of everything.
func full(t *testing.T) *rig {
	t.Helper()
	r := stage(t, fullYAML, fullSQL)
	r.serve()
	return r
}

// thing is the body of a device with more members than the needed ones.
func thing(serial, more string) string {
	return `{"schemas":["` + device + `","` + warranty + `"],"serial":"` + serial + `","label":"L","` + warranty + `":{"until":"2031"}` + more + `}`
}

func TestTypes(t *testing.T) {
	r := full(t)
	good := []struct{ row, more, path, want string }{
		{"S-07 integer", `,"ports":48`, "ports", "48"},
		{"S-07 negative integer", `,"ports":-1`, "ports", "-1"},
		{"S-08 decimal", `,"weight":0.5`, "weight", "0.5"},
		{"S-08 whole decimal", `,"weight":7`, "weight", "7"},
		{"S-06 boolean", `,"online":false`, "online", "false"},
		{"S-09, S-10 dateTime in UTC", `,"bought":"2024-01-31T10:00:00+02:00"`, "bought", "2024-01-31T08:00:00Z"},
		{"S-10 dateTime without zone", `,"bought":"2024-01-31T10:00:00"`, "bought", "2024-01-31T10:00:00Z"},
		{"S-11 base64 without padding", `,"firmware":"aGk"`, "firmware", "aGk="},
		{"S-12 absolute reference", `,"manual":"https://example.org/m?x=1"`, "manual", "https://example.org/m?x=1"},
		{"S-12 relative reference", `,"manual":"Gadgets/1"`, "manual", "Gadgets/1"},
		{"S-05 canonical value in another case", `,"state":"USED"`, "state", "used"},
		{"S-17 list of strings", `,"tags":["a","b"]`, "tags.1", "b"},
		{"S-15 order of sub-attributes", `,"place":{"rack":4,"room":"R"}`, "place.rack", "4"},
		{"S-23 empty object", `,"place":{}`, "place", ""},
		{"S-23 object of nulls", `,"place":{"room":null}`, "place", ""},
		{"S-21 null", `,"model":null`, "model", ""},
		{"S-21 empty list", `,"tags":[]`, "tags", ""},
		{"P-41 one element without a list", `,"tags":"solo"`, "tags.0", "solo"},
		{"S-17 elements", `,"links":[{"type":"doc","value":"d"},{"type":"web","value":"w"}]`, "links.1.value", "d"},
		{"C-03 default", ``, "state", "new"},
		{"C-04 null overrides the default", `,"state":null`, "state", ""},
		{"C-10 returned on request, and just written", `,"note":"n"`, "note", "n"},
		{"C-02 readOnly", `,"asset":"forged"`, "asset", "A-1"},
		{"S-01 names without case", `,"MODEL":"m"`, "model", "m"},
		{"S-34 forged meta", `,"meta":{"created":"1999-01-01T00:00:00Z","resourceType":"Alien","location":"http://x"}`, "meta.resourceType", "Gadget"},
		{"S-32 forged id", `,"id":"mine"`, "label", "L"},
		{"S-39 unknown attribute", `,"colour":"red"`, "colour", ""},
	}
	for i, c := range good {
		r.run(c.row, func() {
			a := r.do("POST", "/Gadgets", thing("G-"+string(rune('A'+i)), c.more)).want(201).is(c.path, c.want)
			if a.at("id") == "mine" || a.at("meta.created") == "1999-01-01T00:00:00Z" {
				r.t.Errorf("forged: %s", a.body)
			}
			again := r.get("/Gadgets/" + a.at("id").(string)).want(200)
			if c.path != "note" {
				again.is(c.path, c.want)
			}
		})
	}
	bad := []struct{ row, more, keyword string }{
		{"S-06 boolean as text", `,"online":"yes"`, "invalidValue"},
		{"S-06 boolean as number", `,"online":1`, "invalidValue"},
		{"S-07 fraction", `,"ports":1.0`, "invalidValue"},
		{"S-07 exponent", `,"ports":1e3`, "invalidValue"},
		{"S-07 too large", `,"ports":9223372036854775808`, "invalidValue"},
		{"S-07 as text", `,"ports":"1"`, "invalidValue"},
		{"S-08 decimal as text", `,"weight":"1"`, "invalidValue"},
		{"S-08 huge exponent", `,"weight":1e999999`, "invalidValue"},
		{"S-09 date without time", `,"bought":"2024-01-31"`, "invalidValue"},
		{"S-09 no date", `,"bought":"2024-02-30T10:00:00Z"`, "invalidValue"},
		{"S-11 other characters", `,"firmware":"a!b"`, "invalidValue"},
		{"S-12 no URI", `,"manual":"http://a b"`, "invalidValue"},
		{"S-05 canonical values", `,"state":"broken"`, "invalidValue"},
		{"S-17 object for text", `,"model":{"a":1}`, "invalidValue"},
		{"S-17 text for object", `,"place":"here"`, "invalidValue"},
		{"S-17 list for text", `,"model":["a","b"]`, "invalidValue"},
		{"S-16 nested", `,"place":{"room":{"deep":1}}`, "invalidValue"},
		{"S-18 two primaries", `,"links":[{"value":"a","type":"web","primary":true},{"value":"b","type":"doc","primary":true}]`, "invalidValue"},
		{"S-38 one name twice", `,"model":"a","Model":"b"`, "invalidSyntax"},
	}
	for _, c := range bad {
		r.run(c.row, func() {
			r.do("POST", "/Gadgets", thing("B", c.more)).want(400).is("scimType", c.keyword)
		})
	}
	r.holds("1", "SELECT count(*) FROM device WHERE serial_no NOT LIKE 'G-%'")
}

func TestCharacteristics(t *testing.T) {
	r := full(t)
	r.do("POST", "/Gadgets", thing("S-1", `,"pin":"1234","note":"n","model":"m","tags":["x"],"online":true,"place":{"room":"R","rack":3}`)).want(201).keep(r, "d").is("pin", "").is("note", "n")
	r.run("S-30 returned, R-06 writeOnly", func() {
		r.get("/Gadgets/{d}").is("pin", "").is("note", "").is("model", "m")
		r.get("/Gadgets/{d}", "attributes", "note,pin").is("pin", "").is("note", "n").is("model", "m").is("label", "")
		r.get("/Gadgets/{d}", "excludedAttributes", "model,label").is("model", "m").is("label", "")
		r.get("/Gadgets", "filter", `serial eq "S-1"`).is("Resources.0.pin", "").is("Resources.0.note", "").is("Resources.0.model", "m")
		r.patch("/Gadgets/{d}", `{"op":"replace","path":"note","value":"o"}`).want(200).is("note", "o")
		r.patch("/Gadgets/{d}", `{"op":"replace","path":"label","value":"M"}`).want(200).is("note", "")
		r.holds("1234", "SELECT pin FROM device WHERE serial_no = 'S-1'")
	})
	r.run("S-29, U-05, P-31, C-13 immutable", func() {
		for _, op := range []string{"replace", "add"} {
			r.patch("/Gadgets/{d}", `{"op":"`+op+`","path":"serial","value":"S-2"}`).want(400).is("scimType", "mutability")
			r.patch("/Gadgets/{d}", `{"op":"`+op+`","path":"serial","value":"S-1"}`).want(200)
		}
		r.patch("/Gadgets/{d}", `{"op":"remove","path":"serial"}`).want(400).is("scimType", "mutability")
		r.do("PUT", "/Gadgets/{d}", thing("S-2", "")).want(400).is("scimType", "mutability")
	})
	r.run("S-29, P-30 readOnly", func() {
		for _, op := range []string{`"op":"replace","path":"asset","value":"x"`, `"op":"add","value":{"asset":"x"}`, `"op":"remove","path":"asset"`} {
			r.patch("/Gadgets/{d}", `{`+op+`}`).want(400).is("scimType", "mutability")
		}
		r.do("PUT", "/Gadgets/{d}", thing("S-1", `,"asset":"x"`)).want(200).is("asset", "A-1")
		r.holds("A-1", "SELECT asset_no FROM device WHERE serial_no = 'S-1'")
	})
	r.run("U-03, U-04, U-09, U-10, S-21 replacement", func() {
		r.do("PUT", "/Gadgets/{d}", thing("S-1", `,"tags":["y"],"model":null`)).want(200).is("tags.0", "y").is("tags.1", "").is("model", "").is("online", "").is("place", "").
			is(warranty+".until", "2031")
		r.holds("1234", "SELECT pin FROM device WHERE serial_no = 'S-1'")
		r.holds("keep", "SELECT unmapped FROM device WHERE serial_no = 'S-1'")
	})
	r.run("S-27 a required extension", func() {
		for _, body := range []string{
			`{"schemas":["` + device + `"],"serial":"X","label":"L"}`,
			`{"schemas":["` + device + `","` + warranty + `"],"serial":"X","label":"L"}`,
			`{"schemas":["` + device + `","` + warranty + `"],"serial":"X","label":"L","` + warranty + `":{"company":"c"}}`,
		} {
			r.do("POST", "/Gadgets", body).want(400).is("scimType", "invalidValue")
			r.do("PUT", "/Gadgets/{d}", body).want(400).is("scimType", "invalidValue")
		}
		r.patch("/Gadgets/{d}", `{"op":"remove","path":"`+warranty+`:until"}`).want(400).is("scimType", "mutability")
		r.patch("/Gadgets/{d}", `{"op":"remove","path":"`+warranty+`"}`).want(400)
		r.get("/ResourceTypes/Gadget").is("schemaExtensions.0.required", "true")
	})
	r.run("S-37, P-46 required", func() {
		r.do("POST", "/Gadgets", `{"schemas":["`+device+`","`+warranty+`"],"serial":"X","label":"","`+warranty+`":{"until":"1"}}`).want(400).is("scimType", "invalidValue")
		r.patch("/Gadgets/{d}", `{"op":"remove","path":"label"}`).want(400).is("scimType", "mutability")
		r.patch("/Gadgets/{d}", `{"op":"replace","path":"label","value":null}`).want(400)
	})
	r.run("S-28, S-31 caseExact and unique", func() {
		r.do("POST", "/Gadgets", thing("s-1", "")).want(201) // another serial: case counts
		r.do("POST", "/Gadgets", thing("S-1", "")).want(409).is("scimType", "uniqueness")
		r.get("/Gadgets", "filter", `serial eq "s-1"`).is("totalResults", "1")
		r.get("/Gadgets", "filter", `serial sw "s-"`).is("totalResults", "1")
		r.get("/Gadgets", "filter", `label eq "l"`).is("totalResults", "2")
	})
	r.run("R-06, P-62, S-30 password", func() {
		a := r.do("POST", "/Users", `{"schemas":["`+coreUser+`"],"userName":"pw","password":"first-secret"}`).want(201).keep(r, "u")
		b := r.patch("/Users/{u}?attributes=password,userName", `{"op":"replace","path":"password","value":"second-secret"}`).want(200)
		c := r.get("/Users/{u}", "attributes", "password")
		for _, a := range []*answer{a, b, c} {
			a.is("password", "")
		}
		r.holds("second-secret", "SELECT secret FROM person WHERE login = 'pw'")
		r.do("PUT", "/Users/{u}", `{"schemas":["`+coreUser+`"],"userName":"pw","title":"t"}`).want(200)
		r.holds("second-secret", "SELECT secret FROM person WHERE login = 'pw'") // U-09
		r.get("/Users", "sortBy", "password").want(400)
		for _, f := range []string{`password eq "second-secret"`, `password sw "s"`, `password pr`} {
			r.get("/Users", "filter", f).want(400).is("scimType", "invalidFilter")
		}
	})
	r.run("R-14 one certificate", func() {
		one := "MAMCAQU=" // SEQUENCE { INTEGER 5 }
		r.do("POST", "/Users", `{"schemas":["`+coreUser+`"],"userName":"c1","x509Certificates":[{"type":"login","value":"`+one+`"}]}`).want(201).is("x509Certificates.0.value", one)
		r.do("POST", "/Users", `{"schemas":["`+coreUser+`"],"userName":"c2","x509Certificates":[{"type":"login","value":"MAMCAQUwAwIBBQ=="}]}`).want(400).is("scimType", "invalidValue")
	})
	r.run("O-02, O-05 sorting by type", func() {
		for i, w := range []string{`,"weight":10,"ports":10`, `,"weight":9.5,"ports":9`, `,"weight":100,"ports":100`} {
			r.do("POST", "/Gadgets", thing("O-"+string(rune('1'+i)), w)).want(201)
		}
		for _, by := range []string{"weight", "ports"} {
			a := r.get("/Gadgets", "filter", `serial sw "O-"`, "sortBy", by)
			a.is("Resources.0.serial", "O-2").is("Resources.1.serial", "O-1").is("Resources.2.serial", "O-3")
		}
	})
	r.run("F-17, F-18 comparison by type", func() {
		r.do("POST", "/Gadgets", thing("F-1", `,"bought":"2024-06-01T00:00:00+02:00","online":true,"firmware":"aGk="`)).want(201)
		for f, want := range map[string]string{
			`weight gt 9.5 and serial sw "O-"`:                                  "2",
			`weight eq 10.0 and serial sw "O-"`:                                 "1",
			`ports le 10 and serial sw "O-"`:                                    "2",
			`ports gt 9 and ports lt 100 and serial sw "O-"`:                    "1",
			`bought eq "2024-05-31T22:00:00Z"`:                                  "1",
			`bought lt "2024-05-31T22:00:00.5Z" and serial eq "F-1"`:            "1",
			`firmware eq "aGk"`:                                                 "1",
			`online eq true and serial eq "F-1"`:                                "1",
			`online ne true and serial eq "F-1"`:                                "0",
			`tags eq "X" or tags eq "Y"`:                                        "1",
			`place.rack eq 3`:                                                   "0",
			`links[type eq "web"] and serial eq "F-1"`:                          "0",
			`urn:example:scim:schemas:Warranty:until eq "2031" and ports eq 10`: "1",
		} {
			r.get("/Gadgets", "filter", f).want(200).is("totalResults", want)
		}
		for _, f := range []string{`firmware co "a"`, `firmware gt "aGk="`, `ports sw 1`, `bought gt "2024-01-01"`, `note eq 5`, `pin pr`} {
			if a := r.get("/Gadgets", "filter", f).is("scimType", "invalidFilter"); a.status != 400 {
				r.t.Errorf("%s: status %d", f, a.status)
			}
		}
	})
	r.run("S-39, J6 a strict client", func() {
		r.token = "strict-token"
		defer func() { r.token = "quickstart" }()
		r.do("POST", "/Gadgets", thing("J", `,"colour":"red"`)).want(400).is("scimType", "invalidSyntax")
		r.do("POST", "/Gadgets", thing("J", `,"online":"True"`)).want(400).is("scimType", "invalidValue")
		r.do("POST", "/Gadgets", `{"schemas":["`+device+`","urn:x:unknown"],"serial":"J","label":"L"}`).want(400).is("scimType", "invalidSyntax")
		r.do("POST", "/Users", `{"schemas":["`+coreUser+`"],"userName":"j","nickName":"not mapped"}`).want(400).is("scimType", "invalidSyntax")
		r.do("POST", "/Users", `{"schemas":["`+coreUser+`"],"userName":"j","emails":[{"type":"other","value":"a@b"}]}`).want(400).is("scimType", "invalidValue")
		r.token = "quickstart"
		r.do("POST", "/Users", `{"schemas":["`+coreUser+`"],"userName":"j","nickName":"not mapped","emails":[{"type":"other","value":"a@b"}]}`).want(201).is("nickName", "").is("emails", "")
	})
	r.run("S-33, Y-06 externalId is the client's", func() {
		r.do("POST", "/Users", `{"schemas":["`+coreUser+`"],"userName":"ext","externalId":"E1"}`).want(201).keep(r, "x").is("externalId", "E1")
		r.do("POST", "/Users", `{"schemas":["`+coreUser+`"],"userName":"ext2","externalId":"E1"}`).want(201) // not unique
		r.get("/Users", "filter", `externalId eq "E1"`).is("totalResults", "2")
		r.token = "second-token"
		defer func() { r.token = "quickstart" }()
		r.get("/Users", "filter", `externalId eq "E1"`).is("totalResults", "0")
		mine := r.id("ext")
		if mine == r.vars["x"] {
			r.t.Error("two clients see one id")
		}
		r.get("/Users/{x}").want(404)
		r.get("/Users/"+mine).is("externalId", "")
		r.patch("/Users/"+mine, `{"op":"add","path":"externalId","value":"other"}`).want(200).is("externalId", "other")
		r.token = "quickstart"
		r.get("/Users/{x}").is("externalId", "E1")
		r.patch("/Users/{x}", `{"op":"remove","path":"externalId"}`).want(200).is("externalId", "")
		r.get("/Users", "filter", `externalId pr and userName eq "ext"`).is("totalResults", "0")
	})
	r.run("P-33, S-18 primary is exclusive", func() {
		r.do("POST", "/Gadgets", thing("P-1", `,"links":[{"type":"web","value":"w","primary":true},{"type":"doc","value":"d"}]`)).want(201).keep(r, "p").
			is("links.0.primary", "true").is("links.1.primary", "")
		r.patch("/Gadgets/{p}", `{"op":"replace","path":"links[type eq \"doc\"].primary","value":true}`).want(200).is("links.1.primary", "true")
		if p := fmt.Sprint(r.get("/Gadgets/{p}").at("links.0.primary")); p == "true" {
			r.t.Error("two elements are primary")
		}
		r.patch("/Gadgets/{p}", `{"op":"replace","path":"links","value":[{"type":"web","value":"w","primary":true},{"type":"doc","value":"d","primary":true}]}`).
			want(400).is("scimType", "invalidValue")
		r.do("PUT", "/Gadgets/{p}", thing("P-1", `,"links":[{"type":"web","value":"w","primary":true},{"type":"doc","value":"d","primary":true}]`)).
			want(400).is("scimType", "invalidValue")
	})
	r.run("S-40 the new type is in discovery", func() {
		r.get("/Schemas/"+device).want(200).is("name", "Gadget")
		r.get("/ResourceTypes/Gadget").is("endpoint", "/Gadgets").is("schema", device)
		for _, d := range r.get("/Schemas/" + device).items("attributes") {
			describes(r.t, device, d, true)
			for name, want := range map[string][2]string{"serial": {"immutable", "default"}, "pin": {"writeOnly", "never"}, "note": {"readWrite", "request"}, "model": {"readWrite", "always"}, "asset": {"readOnly", "default"}} {
				if d["name"] == name && (d["mutability"] != want[0] || d["returned"] != want[1]) {
					r.t.Errorf("D-02: %s is %v, %v", name, d["mutability"], d["returned"])
				}
			}
		}
	})
	r.run("S-03 defaults of characteristics", func() {
		for _, d := range r.get("/Schemas/" + device).items("attributes") {
			if d["name"] == "label" && (d["caseExact"] != false || d["mutability"] != "readWrite" || d["returned"] != "default" || d["uniqueness"] != "none" || d["type"] != "string" || d["multiValued"] != false) {
				r.t.Errorf("%v", d)
			}
		}
	})
}
