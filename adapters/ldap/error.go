package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/postern/postern/adapters"
)

// fault makes an *adapters.Error of any error. wrote says that a request that
// changes something may have reached the server.
func fault(ctx context.Context, op string, err error, wrote bool) error {
	if err == nil {
		return nil
	}
	var known *adapters.Error
	if errors.As(err, &known) && (ctx.Err() == nil || known.Kind != adapters.Unavailable) {
		if known.Op == "" {
			known.Op = op
		}
		return known
	}
	out := &adapters.Error{Kind: kindOf(err), Op: op, Err: err}
	if ended := ctx.Err(); ended != nil && out.Kind == adapters.Unavailable {
		out.Err = fmt.Errorf("%w: %v", ended, err)
	}
	out.Unsure = wrote && out.Kind == adapters.Unavailable && !answered(err)
	return out
}

func unsure(err error) bool {
	var e *adapters.Error
	return errors.As(err, &e) && e.Unsure
}

// answered reports whether the server itself said that it failed.
func answered(err error) bool {
	var e *ldap.Error
	return errors.As(err, &e) && e.ResultCode < ldap.ErrorNetwork
}

// code is the result code of an error, or of none of the server's.
func code(err error) uint16 {
	var e *ldap.Error
	if errors.As(err, &e) {
		return e.ResultCode
	}
	return ldap.ErrorNetwork
}

// taken reports a violated constraint that is about a value that another entry has: as
// plug-ins for unique attributes put it, Samba, and Microsoft's server
// (ERROR_DS_UPN_VALUE_NOT_UNIQUE_IN_FOREST).
func taken(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "uniq") || strings.Contains(text, "already in use") || strings.Contains(text, "000021c8")
}

// kindOf is the kind of a failure (RFC 4511 appendix A).
func kindOf(err error) adapters.Kind {
	switch code(err) {
	case ldap.LDAPResultNoSuchObject:
		return adapters.NotFound
	case ldap.LDAPResultEntryAlreadyExists:
		return adapters.Exists
	case ldap.LDAPResultConstraintViolation:
		if taken(err) {
			return adapters.Exists
		}
		return adapters.Invalid
	case ldap.LDAPResultInvalidAttributeSyntax, ldap.LDAPResultUndefinedAttributeType, ldap.LDAPResultNamingViolation,
		ldap.LDAPResultObjectClassViolation, ldap.LDAPResultInvalidDNSyntax, ldap.LDAPResultInappropriateMatching:
		return adapters.Invalid
	case ldap.LDAPResultAssertionFailed, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultAttributeOrValueExists,
		ldap.LDAPResultNotAllowedOnNonLeaf, ldap.LDAPResultNotAllowedOnRDN, ldap.LDAPResultObjectClassModsProhibited:
		return adapters.Conflict
	case ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired, ldap.LDAPResultAuthMethodNotSupported:
		return adapters.Denied
	case ldap.LDAPResultSizeLimitExceeded, ldap.LDAPResultAdminLimitExceeded:
		return adapters.TooMany
	case ldap.LDAPResultReferral, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultUnavailableCriticalExtension,
		ldap.LDAPResultAffectsMultipleDSAs:
		return adapters.Unsupported
	case ldap.LDAPResultTimeLimitExceeded, ldap.LDAPResultBusy, ldap.LDAPResultUnavailable, ldap.ErrorNetwork:
		return adapters.Unavailable
	}
	return adapters.Internal
}
