package main

import (
	"slices"
	"strings"
	"testing"
)

// Roles, entitlements and devices: the resource types that Postern brings along
// besides users and groups, each before a database.

const rolesYAML = `
gateway: {listen: 127.0.0.1:8080, admin: 127.0.0.1:8081}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  main: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
resources:
  User:
    target: {backend: main, table: person, key: pid}
    attributes:
      userName: login
      roles: {table: person_role, owner: pid, columns: {value: {name: role_id, lookup: {table: role, key: role_id, name: code}}, type: kind, primary: preferred}}
  Role:
    target: {backend: main, table: role_list, key: role_id}
    attributes:
      value: code
      display: title
      type: kind
      supported: {name: live, values: {1: true, 0: false}}
      limitedAssignmentsPermitted: {name: limited, values: {1: true, 0: false}}
      totalAssignmentsPermitted: most
      totalAssignmentsUsed: used
      contains: {name: parts, split: ","}
  Entitlement:
    target: {backend: main, table: licence, key: licence_id}
    attributes: {value: code, display: title}
`

const rolesSQL = `
CREATE TABLE person (pid INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL UNIQUE);
CREATE TABLE role (role_id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, title TEXT, kind TEXT, live INTEGER NOT NULL DEFAULT 1, most INTEGER, parts TEXT);
CREATE TABLE person_role (pid INTEGER NOT NULL REFERENCES person ON DELETE CASCADE, role_id INTEGER NOT NULL REFERENCES role, kind TEXT, preferred INTEGER, PRIMARY KEY (pid, role_id));
CREATE VIEW role_list AS SELECT r.*, r.most IS NOT NULL AS limited, (SELECT count(*) FROM person_role p WHERE p.role_id = r.role_id) AS used FROM role r;
CREATE TABLE licence (licence_id INTEGER PRIMARY KEY, code TEXT NOT NULL, title TEXT);
INSERT INTO role VALUES (1, 'admin', 'Administrator', 'system', 1, 2, 'editor,reader'), (2, 'editor', 'Editor', 'content', 1, NULL, NULL), (3, 'reader', NULL, NULL, 0, NULL, NULL);
INSERT INTO licence VALUES (1, 'pro', 'Professional');
`

func TestRoles(t *testing.T) {
	r := stage(t, rolesYAML, rolesSQL)
	r.serve()
	r.do("POST", "/Users", user("ada", `,"roles":[{"value":"admin","primary":true}]`)).want(201).is("roles.0.value", "admin").keep(r, "ada")
	r.run("RE-01 RE-02 a list of roles", func() {
		r.get("/Roles").want(200).is("totalResults", "3")
		a := r.do("GET", `/Roles?filter=value eq "admin"`, "").want(200).is("totalResults", "1").is("Resources.0.display", "Administrator").is("Resources.0.type", "system").
			is("Resources.0.supported", "true").is("Resources.0.limitedAssignmentsPermitted", "true").is("Resources.0.totalAssignmentsPermitted", "2").
			is("Resources.0.totalAssignmentsUsed", "1").is("Resources.0.contains", "[editor reader]").is("Resources.0.meta.resourceType", "Role")
		r.vars["role"] = a.at("Resources.0.id").(string)
		r.do("GET", "/Roles?filter=supported eq false", "").want(200).is("totalResults", "1").is("Resources.0.value", "reader")
		r.get("/Entitlements").want(200).is("totalResults", "1").is("Resources.0.value", "pro")
	})
	r.run("RE-01 they are read only", func() {
		r.do("POST", "/Roles", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Role"],"value":"boss","supported":true}`).want(405)
		r.do("PUT", "/Roles/{role}", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Role"],"value":"boss","supported":true}`).want(405)
		r.do("PATCH", "/Roles/{role}", `{`+patchOp+`,"Operations":[{"op":"replace","path":"value","value":"boss"}]}`).want(405)
		r.do("DELETE", "/Roles/{role}", "").want(405)
		r.do("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"DELETE","path":"/Roles/{role}"}]}`).want(200).
			is("Operations.0.status", "405")
		r.get("/Roles/{role}").want(200).is("value", "admin")
	})
	r.run("RE-03 what ServiceProviderConfig says", func() {
		r.get("/ServiceProviderConfig").is("RolesAndEntitlements.roles.supported", "true").is("RolesAndEntitlements.roles.multipleRolesSupported", "true").
			is("RolesAndEntitlements.roles.primarySupported", "true").is("RolesAndEntitlements.roles.typeSupported", "true").
			is("RolesAndEntitlements.entitlements.supported", "true").is("RolesAndEntitlements.entitlements.multipleEntitlementsSupported", "false")
		start(t).get("/ServiceProviderConfig").is("RolesAndEntitlements", "")
	})
	r.run("RE-04 the backend refuses what is no role", func() {
		r.do("POST", "/Users", user("bob", `,"roles":[{"value":"boss"}]`)).want(400).is("scimType", "invalidValue")
	})
	r.run("D-05, D-09 schemas", func() {
		for _, name := range []string{"Role", "Entitlement"} {
			r.get("/Schemas/urn:ietf:params:scim:schemas:core:2.0:"+name).want(200).is("attributes.0.name", "value").is("attributes.0.mutability", "readOnly").is("attributes.0.required", "true")
			r.get("/ResourceTypes/"+name).want(200).is("schema", "urn:ietf:params:scim:schemas:core:2.0:"+name)
		}
	})
}

const devicesYAML = `
gateway: {listen: 127.0.0.1:8080, admin: 127.0.0.1:8081}
identities: sqlite:state/postern.db
clients: {quickstart: {token: quickstart}}
backends:
  main: {type: sql, dsn: "sqlite:state/legacy.db", init: legacy.sql}
schemas:
  - id: urn:example:scim:schemas:Badge
    name: Badge
    attributes: {colour: string}
resources:
  Device:
    extensions: [BLE, DPP, EthernetMAB, FDO, Zigbee, EndpointApps, Badge]
    target: {backend: main, table: device, key: device_id}
    attributes:
      active: {name: active, values: {1: true, 0: false}}
      displayName: title
      mudUrl: mud
      groups: {table: room_device, owner: device_id, member: room_id, refers: Group}
      ble:versionSupport: {name: ble_versions, split: ","}
      ble:deviceMacAddress: ble_mac
      ble:isRandom: {name: ble_random, values: {1: true, 0: false}}
      ble:irk: ble_irk
      ble:pairingMethods: {name: ble_pairing, split: ","}
      pairingPassKey:key: ble_passkey
      pairingOOB:key: ble_oob
      pairingOOB:randomNumber: ble_random_number
      dpp:dppVersion: dpp_version
      dpp:bootstrapKey: dpp_key
      mab:deviceMacAddress: mab_mac
      fdo:fdoVoucher: fdo_voucher
      zigbee:versionSupport: {name: zigbee_versions, split: ","}
      zigbee:deviceEui64Address: zigbee_eui
      apps:applications: {table: device_app, owner: device_id, member: app_id, refers: EndpointApp}
      apps:deviceControlEnterpriseEndpoint: {in: '"https://control.example.com/"'}
      apps:telemetryEnterpriseEndpoint: {in: '"https://telemetry.example.com/"'}
      Badge:colour: colour
  EndpointApp:
    target: {backend: main, table: app, key: app_id}
    attributes:
      applicationType: kind
      applicationName: title
      certificateInfo.rootCA: root_ca
      certificateInfo.subjectName: subject
      clientToken: token
  Group:
    target: {backend: main, table: room, key: room_id}
    attributes:
      displayName: title
      members: {table: room_device, owner: room_id, member: device_id, refers: Device}
`

const devicesSQL = `
CREATE TABLE device (device_id INTEGER PRIMARY KEY AUTOINCREMENT, active INTEGER NOT NULL DEFAULT 1, title TEXT, mud TEXT, ble_versions TEXT, ble_mac TEXT, ble_random INTEGER,
	ble_irk TEXT, ble_pairing TEXT, ble_passkey INTEGER, ble_oob TEXT, ble_random_number INTEGER, dpp_version INTEGER, dpp_key TEXT, mab_mac TEXT, fdo_voucher TEXT, zigbee_versions TEXT, zigbee_eui TEXT, colour TEXT);
CREATE TABLE app (app_id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, title TEXT NOT NULL, root_ca TEXT, subject TEXT, token TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))));
CREATE TABLE device_app (device_id INTEGER NOT NULL REFERENCES device ON DELETE CASCADE, app_id INTEGER NOT NULL REFERENCES app ON DELETE CASCADE, PRIMARY KEY (device_id, app_id));
CREATE TABLE room (room_id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL);
CREATE TABLE room_device (room_id INTEGER NOT NULL REFERENCES room ON DELETE CASCADE, device_id INTEGER NOT NULL REFERENCES device ON DELETE CASCADE, PRIMARY KEY (room_id, device_id));
`

const (
	deviceURN = "urn:ietf:params:scim:schemas:core:2.0:Device"
	bleURN    = "urn:ietf:params:scim:schemas:extension:ble:2.0:Device"
	appsURN   = "urn:ietf:params:scim:schemas:extension:endpointAppsExt:2.0:Device"
	mabURN    = "urn:ietf:params:scim:schemas:extension:ethernet-mab:2.0:Device"
)

func TestDevices(t *testing.T) {
	r := stage(t, devicesYAML, devicesSQL)
	r.serve()
	r.run("DV-02 applications, with a certificate and with a token", func() {
		app := func(more string) string {
			return `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:EndpointApp"],"applicationType":"telemetry","applicationName":"Collector"` + more + `}`
		}
		a := r.do("POST", "/EndpointApps", app("")).want(201).is("applicationType", "telemetry").keep(r, "app")
		if token, _ := a.at("clientToken").(string); len(token) != 32 {
			t.Errorf("clientToken is %q", token)
		}
		r.do("POST", "/EndpointApps", app(`,"certificateInfo":{"rootCA":"MIIB","subjectName":"app.example.com"}`)).want(201).is("certificateInfo.subjectName", "app.example.com")
		r.do("PATCH", "/EndpointApps/{app}", `{`+patchOp+`,"Operations":[{"op":"replace","path":"applicationType","value":"deviceControl"}]}`).want(400).is("scimType", "mutability")
		r.do("POST", "/EndpointApps", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:EndpointApp"],"applicationType":"other","applicationName":"x"}`).want(400).is("scimType", "invalidValue")
	})
	const head = `{"schemas":["` + deviceURN + `"],"displayName":"Heart monitor","active":true,"mudUrl":"https://example.com/Mud"`
	r.run("DV-01 DV-03 a device with extensions, one of them the configuration's own (DV-08)", func() {
		r.do("POST", "/Devices", head+`,"`+bleURN+`":{"versionSupport":["5.3","5.2"],"deviceMacAddress":"2C:54:91:88:C9:E2","isRandom":false,"irk":"535c3e1a",
			"pairingMethods":["urn:ietf:params:scim:schemas:extension:pairingNull:2.0:Device"]},"`+appsURN+`":{"applications":[{"value":"{app}"}]},
			"urn:example:scim:schemas:Badge":{"colour":"red"}}`).want(201).keep(r, "d")
		a := r.get("/Devices/{d}").want(200).is("mudUrl", "https://example.com/Mud").is(bleURN+".versionSupport", "[5.3 5.2]").is(bleURN+".deviceMacAddress", "2C:54:91:88:C9:E2").
			is(bleURN+".isRandom", "false").is("urn:example:scim:schemas:Badge.colour", "red")
		if n := len(a.at("schemas").([]any)); n != 4 {
			t.Errorf("%d schemas: %s", n, a.body)
		}
		r.do("POST", "/Devices", `{"schemas":["`+deviceURN+`"],"displayName":"x"}`).want(400).is("scimType", "invalidValue")
		r.do("GET", `/Devices?filter=`+bleURN+`:deviceMacAddress eq "2c:54:91:88:c9:e2"`, "").want(200).is("totalResults", "1")
	})
	r.run("DV-04 the key is not shown, and addresses have their form", func() {
		r.do("GET", "/Devices/{d}?attributes="+bleURN+":irk", "").want(200).is(bleURN+".irk", "")
		r.do("POST", "/Devices", head+`,"`+mabURN+`":{"deviceMacAddress":"2c-54-91-88-c9-e2"}}`).want(400).is("scimType", "invalidValue")
		r.do("PATCH", "/Devices/{d}", `{`+patchOp+`,"Operations":[{"op":"add","path":"`+mabURN+`:deviceMacAddress","value":"2c:54:91:88:c9:e2"}]}`).want(200).
			is(mabURN+".deviceMacAddress", "2c:54:91:88:c9:e2")
	})
	r.run("DV-05 where applications turn to", func() {
		a := r.get("/Devices/{d}").is(appsURN+".deviceControlEnterpriseEndpoint", "https://control.example.com/").is(appsURN+".telemetryEnterpriseEndpoint", "https://telemetry.example.com/").
			is(appsURN+".applications.0.value", r.vars["app"])
		a.is(appsURN+".applications.0.$ref", r.base+"/EndpointApps/"+r.vars["app"])
	})
	r.run("DV-09 the ways of pairing, each an object in the extension", func() {
		const oob, passKey = "urn:ietf:params:scim:schemas:extension:pairingOOB:2.0:Device", "urn:ietf:params:scim:schemas:extension:pairingPassKey:2.0:Device"
		// A dot ends a step of at: the objects are looked at as they are written.
		has := func(a *answer, want ...string) {
			t.Helper()
			for _, w := range want {
				if !strings.Contains(string(a.body), w) {
					t.Errorf("%s is not in %s", w, a.body)
				}
			}
		}
		sent := `"` + oob + `":{"key":"TheKeyvalueRetrievedFromOOB","randomNumber":238796813516896}`
		has(r.do("POST", "/Devices", head+`,"`+bleURN+`":{"versionSupport":["5.3"],"deviceMacAddress":"2C:54:91:88:C9:F2","pairingMethods":["`+oob+`","`+passKey+`"],
			"`+passKey+`":{"key":123456},`+sent+`}}`).want(201).keep(r, "p"), sent)
		has(r.get("/Devices/{p}").want(200), sent, `"`+passKey+`":{"key":123456}`)
		r.do("GET", `/Devices?filter=`+oob+`:randomNumber eq 238796813516896`, "").want(200).is("totalResults", "1")
		r.do("GET", `/Devices?filter=`+bleURN+`:`+passKey+`.key eq 1`, "").want(200).is("totalResults", "0")
		has(r.do("PATCH", "/Devices/{p}", `{`+patchOp+`,"Operations":[{"op":"replace","path":"`+passKey+`:key","value":7},{"op":"remove","path":"`+oob+`"}]}`).want(200), `"`+passKey+`":{"key":7}`)
		has(r.do("PATCH", "/Devices/{p}", `{`+patchOp+`,"Operations":[{"op":"add","path":"`+bleURN+`","value":{`+sent+`}}]}`).want(200), sent, `"`+passKey+`":{"key":7}`)
		has(r.do("PATCH", "/Devices/{p}", `{`+patchOp+`,"Operations":[{"op":"add","value":{"`+bleURN+`":{"`+passKey+`":{"key":9}}}}]}`).want(200), sent, `"`+passKey+`":{"key":9}`)
		only := r.get("/Devices/{p}?attributes=" + oob + ":key").want(200)
		has(only, `{"`+oob+`":{"key":"TheKeyvalueRetrievedFromOOB"}}`)
		r.do("POST", "/Devices", head+`,"`+bleURN+`":{"versionSupport":["5.3"],"deviceMacAddress":"2C:54:91:88:C9:F3","pairingMethods":[],"`+oob+`":{"key":"x"}}}`).want(400)
		if a := r.get("/Schemas/" + oob).want(200); a.at("name") != "pairingOOB" || len(a.at("attributes").([]any)) != 2 {
			t.Errorf("the schema is %s", a.body)
		}
	})
	r.run("DV-06 groups of devices", func() {
		r.do("POST", "/Groups", `{"schemas":["`+coreGroup+`"],"displayName":"Ward","members":[{"value":"{d}"}]}`).want(201).is("members.0.type", "Device").
			is("members.0.$ref", r.base+"/Devices/"+r.vars["d"]).keep(r, "g")
		if got := r.get("/Devices/{d}").values("groups", "value"); !slices.Equal(got, []string{r.vars["g"]}) {
			t.Errorf("the groups are %q", got)
		}
	})
}
