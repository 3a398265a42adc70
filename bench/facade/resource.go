package main

const (
	userSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	groupSchema      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	listSchema       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	errorSchema      = "urn:ietf:params:scim:api:messages:2.0:Error"
)

var (
	userSchemas  = []string{userSchema, enterpriseSchema}
	groupSchemas = []string{groupSchema}
)

type user struct {
	Schemas           []string    `json:"schemas"`
	ID                string      `json:"id"`
	ExternalID        string      `json:"externalId,omitempty"`
	UserName          string      `json:"userName"`
	Name              *name       `json:"name,omitempty"`
	DisplayName       string      `json:"displayName,omitempty"`
	NickName          string      `json:"nickName,omitempty"`
	Title             string      `json:"title,omitempty"`
	UserType          string      `json:"userType,omitempty"`
	PreferredLanguage string      `json:"preferredLanguage,omitempty"`
	Active            *bool       `json:"active"`
	Emails            []typed     `json:"emails,omitempty"`
	PhoneNumbers      []typed     `json:"phoneNumbers,omitempty"`
	Addresses         []address   `json:"addresses,omitempty"`
	Groups            []reference `json:"groups,omitempty"`
	Enterprise        *enterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitempty"`
	Meta              meta        `json:"meta"`
}

type name struct {
	FamilyName string `json:"familyName,omitempty"`
	GivenName  string `json:"givenName,omitempty"`
}

type typed struct {
	Value string `json:"value"`
	Type  string `json:"type"`
}

type address struct {
	StreetAddress string `json:"streetAddress,omitempty"`
	Locality      string `json:"locality,omitempty"`
	PostalCode    string `json:"postalCode,omitempty"`
	Country       string `json:"country,omitempty"`
	Type          string `json:"type"`
}

type reference struct {
	Value string `json:"value"`
	Ref   string `json:"$ref"`
	Type  string `json:"type,omitempty"`
}

type enterprise struct {
	EmployeeNumber string     `json:"employeeNumber,omitempty"`
	CostCenter     string     `json:"costCenter,omitempty"`
	Department     string     `json:"department,omitempty"`
	Manager        *reference `json:"manager,omitempty"`
}

type meta struct {
	ResourceType string `json:"resourceType"`
	Created      string `json:"created,omitempty"`
	LastModified string `json:"lastModified,omitempty"`
	Location     string `json:"location"`
}

type group struct {
	Schemas     []string    `json:"schemas"`
	ID          string      `json:"id"`
	DisplayName string      `json:"displayName"`
	Members     []reference `json:"members,omitempty"`
	Meta        meta        `json:"meta"`
}

type list[T any] struct {
	Schemas      []string `json:"schemas"`
	TotalResults int      `json:"totalResults"`
	StartIndex   int      `json:"startIndex"`
	ItemsPerPage int      `json:"itemsPerPage"`
	Resources    []T      `json:"Resources"`
}

// A failure is an error that the client is told.
type failure struct {
	Schemas  []string `json:"schemas"`
	Status   int      `json:"status,string"`
	ScimType string   `json:"scimType,omitempty"`
	Detail   string   `json:"detail"`
}

func (f *failure) Error() string { return f.Detail }

func fail(status int, scimType, detail string) *failure {
	return &failure{Schemas: []string{errorSchema}, Status: status, ScimType: scimType, Detail: detail}
}
