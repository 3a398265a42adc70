package schema

import (
	"regexp"

	"github.com/postern/postern/scim"
)

// Devices and the applications that deal with them (RFC 9944). Where the RFC has
// keywords that RFC 7643 does not, such as a uniqueness within a manufacturer, the
// nearest of RFC 7643 stands here. What the RFC nests in the extension for Bluetooth
// are complex attributes there, whose names are URNs (DV-09).

const deviceExtension = "urn:ietf:params:scim:schemas:extension:"

func deviceSchemas() []builtinSchema {
	out := []builtinSchema{{scim.DeviceSchema, "", device}, {scim.EndpointAppSchema, "", endpointApp}}
	for _, e := range []struct {
		name string
		make func() *Schema
	}{{"ble", bluetooth}, {"dpp", easyConnect}, {"ethernet-mab", macBypass}, {"fido-device-onboard", fidoOnboard}, {"zigbee", zigbee}, {"endpointAppsExt", endpointApps}} {
		urn := deviceExtension + e.name + ":2.0:Device"
		out = append(out, builtinSchema{urn, scim.DeviceSchema, func() *Schema {
			s := e.make()
			s.ID = urn
			return s
		}})
	}
	return out
}

func device() *Schema {
	groups := multi(complexAttr("groups", "The groups that the device belongs to. Membership is changed in the group.",
		exact(str("value", "The id of the group.")),
		ref("$ref", "The URI of the group.", "Group"),
		str("display", "The group's name, to be shown."),
		canon(str("type", "Whether the device is a member of the group itself or of a group in it."), "direct", "indirect"),
	))
	groups.Mutability = scim.ReadOnly
	for _, s := range groups.Sub {
		s.Mutability = scim.ReadOnly
	}
	return &Schema{ID: scim.DeviceSchema, Name: "Device", Description: "A device on the network.", Attributes: []*scim.Attribute{
		required(boolean("active", "Whether the device may be used.")),
		str("displayName", "The device's name, to be shown."),
		ref("mudUrl", "The URL of the description of how the manufacturer intends the device to be used (RFC 8520).", "external"),
		groups,
	}}
}

func endpointApp() *Schema {
	kind := required(immutable(canon(str("applicationType", "What the application does: it controls devices, or gets data from them."), "deviceControl", "telemetry")))
	kind.EnforceCanonical = true
	token := exact(str("clientToken", "The token with which the application proves what it is, if it has no certificate. The server makes it."))
	token.Mutability = scim.ReadOnly
	return &Schema{ID: scim.EndpointAppSchema, Name: "EndpointApp", Description: "An application that controls devices or gets data from them.", Attributes: []*scim.Attribute{
		kind,
		required(str("applicationName", "The application's name, to be shown.")),
		complexAttr("certificateInfo", "By which certificate the application proves what it is.",
			exact(str("rootCA", "The certificate of the authority, in base64.")),
			exact(str("subjectName", "The subject of the application's certificate.")),
		),
		token,
	}}
}

func bluetooth() *Schema {
	irk := str("irk", "The key by which random addresses of the device are recognised. It is never returned.")
	irk.Mutability, irk.Returned = scim.WriteOnly, scim.ReturnedNever
	return &Schema{Name: "BLE", Description: "Bluetooth Low Energy.", Attributes: []*scim.Attribute{
		required(multi(str("versionSupport", "The versions of Bluetooth Low Energy that the device knows, such as 5.3."))),
		required(str("deviceMacAddress", "The public address, as six pairs of hexadecimal digits with colons.")),
		boolean("isRandom", "Whether the device uses random addresses."),
		multi(str("separateBroadcastAddress", "The addresses that the device announces itself with, if not the public one.")),
		irk,
		boolean("mobility", "Whether the device is handed over when it moves."),
		required(multi(exact(str("pairingMethods", "How the device can be paired, as the URNs of the methods.")))),
		pairing("pairingJustWorks", "Pairing without a key.", number("key", "There is none: it is null.")),
		pairing("pairingPassKey", "Pairing with a key of six digits.", required(number("key", "The key."))),
		pairing("pairingOOB", "Pairing over another way than Bluetooth.",
			required(exact(str("key", "The key that was got over the other way."))),
			required(number("randomNumber", "The random number that goes with it.")),
			number("confirmationNumber", "The number that confirms it."),
		),
	}}
}

// pairing is an object nested in the extension for Bluetooth. Pairing without
// anything (pairingNull) has no parts, and nothing to store.
func pairing(name, description string, sub ...*scim.Attribute) *scim.Attribute {
	return complexAttr(deviceExtension+name+":2.0:Device", description, sub...)
}

func easyConnect() *Schema {
	return &Schema{Name: "DPP", Description: "Wi-Fi Easy Connect, the Device Provisioning Protocol.", Attributes: []*scim.Attribute{
		required(number("dppVersion", "The version of the protocol that the device knows.")),
		multi(str("bootstrappingMethod", "How the device can be brought in, such as QR or NFC.")),
		required(exact(str("bootstrapKey", "The public key of the device, in base64."))),
		str("deviceMacAddress", "The address, as six pairs of hexadecimal digits with colons."),
		multi(str("classChannel", "Operating classes and channels, such as 81/1.")),
		str("serialNumber", "The serial number."),
	}}
}

func macBypass() *Schema {
	return &Schema{Name: "EthernetMAB", Description: "MAC authentication bypass on wired networks.", Attributes: []*scim.Attribute{
		required(str("deviceMacAddress", "The address, as six pairs of hexadecimal digits with colons.")),
	}}
}

func fidoOnboard() *Schema {
	return &Schema{Name: "FDO", Description: "FIDO Device Onboard.", Attributes: []*scim.Attribute{
		required(exact(str("fdoVoucher", "The voucher of ownership."))),
	}}
}

func zigbee() *Schema {
	return &Schema{Name: "Zigbee", Description: "Zigbee.", Attributes: []*scim.Attribute{
		required(multi(str("versionSupport", "The versions of Zigbee that the device knows, such as 3.0."))),
		required(str("deviceEui64Address", "The address, as eight pairs of hexadecimal digits with colons.")),
	}}
}

func endpointApps() *Schema {
	place := func(name, description string) *scim.Attribute {
		a := ref(name, description, "external")
		a.Mutability = scim.ReadOnly
		return a
	}
	uri := ref("$ref", "The URI of the application.", "EndpointApp")
	uri.Mutability = scim.ReadOnly
	return &Schema{Name: "EndpointApps", Description: "The applications that deal with the device.", Attributes: []*scim.Attribute{
		required(multi(complexAttr("applications", "The applications.", exact(str("value", "The id of the application.")), uri))),
		required(place("deviceControlEnterpriseEndpoint", "Where applications that control the device turn to.")),
		required(place("telemetryEnterpriseEndpoint", "Where applications that get data from the device turn to.")),
	}}
}

func required(a *scim.Attribute) *scim.Attribute {
	a.Required = true
	return a
}

var pairs = map[string]*regexp.Regexp{
	"deviceMacAddress":         regexp.MustCompile(`^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$`),
	"separateBroadcastAddress": regexp.MustCompile(`^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$`),
	"deviceEui64Address":       regexp.MustCompile(`^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){7}$`),
}

// hardwareAddress reports whether a text is what the schemas of devices demand of
// an address of that name (DV-04). Of anything else it reports true.
func hardwareAddress(a *scim.Attribute, s string) bool {
	form := pairs[a.Name]
	if form == nil || s == "" {
		return true
	}
	for _, b := range deviceSchemas() {
		if b.urn == a.Schema() {
			return form.MatchString(s)
		}
	}
	return true
}
