package scim

// The URNs of RFC 7643 section 10 and RFC 7644 section 10 that Postern speaks.
const (
	UserSchema           = "urn:ietf:params:scim:schemas:core:2.0:User"
	GroupSchema          = "urn:ietf:params:scim:schemas:core:2.0:Group"
	RoleSchema           = "urn:ietf:params:scim:schemas:core:2.0:Role"
	EntitlementSchema    = "urn:ietf:params:scim:schemas:core:2.0:Entitlement"
	DeviceSchema         = "urn:ietf:params:scim:schemas:core:2.0:Device"
	EndpointAppSchema    = "urn:ietf:params:scim:schemas:core:2.0:EndpointApp"
	EnterpriseUserSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	ConfigSchema         = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	ResourceTypeSchema   = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	SchemaSchema         = "urn:ietf:params:scim:schemas:core:2.0:Schema"

	ListResponseMessage  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	SearchRequestMessage = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	PatchOpMessage       = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	BulkRequestMessage   = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	BulkResponseMessage  = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	ErrorMessage         = "urn:ietf:params:scim:api:messages:2.0:Error"
)
