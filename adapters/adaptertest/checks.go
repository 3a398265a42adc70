package adaptertest

import "slices"

// checks is the whole suite, in the order in which a new adapter best makes
// them pass.
func checks() []check {
	return slices.Concat(recordChecks(), failureChecks(), memberChecks(), elementChecks(), filterChecks(), listChecks())
}

func recordChecks() []check {
	return []check{
		{"capabilities", nil, checkCapabilities},
		{"probe", nil, checkProbe},
		{"create", nil, checkCreate},
		{"create bare", nil, checkCreateBare},
		{"caller's record", nil, checkCallersRecord},
		{"update", canUpdate, checkUpdate},
		{"update clears", canUpdate, checkUpdateClears},
		{"update answers what is stored", canUpdate, checkUpdateStored},
		{"empty update", canUpdate, checkUpdateEmpty},
		{"rename", renames, checkRename},
		{"delete", nil, checkDelete},
		{"want", canUpdate, checkWant},
		{"texts", canUpdate, checkTexts},
		{"texts in a unique field", nil, checkTextsUnique},
		{"texts that may be refused", nil, checkRefused},
		{"numbers", func(r *rig) bool { return r.f.Age != "" }, checkNumbers},
		{"odd keys", canUpdate, checkKeys},
		{"given keys", oddKeys, checkGivenKeys},
		{"no key", givenKeys, checkNoKey},
	}
}

func failureChecks() []check {
	return []check{
		{"not found", canUpdate, checkNotFound},
		{"exists, create", unique, checkExistsCreate},
		{"exists, update", all(unique, canUpdate), checkExistsUpdate},
		{"exists, its own value", all(unique, canUpdate), checkExistsOwn},
		{"exists, folded", func(r *rig) bool { return unique(r) && r.h.FoldedUnique }, checkExistsFolded},
		{"exists, key", givenKeys, checkExistsKey},
		{"lost update", canUpdate, checkLostUpdate},
		{"lost update of no value", canUpdate, checkLostAbsent},
		{"lost update, held", canUpdate, checkHeld},
		{"cancelled", canUpdate, checkCancelled},
		{"parallel create of one unique value", unique, checkParallelCreate},
		{"parallel creates", nil, checkParallelCreates},
		{"parallel update", canUpdate, checkParallelUpdate},
		{"parallel delete", nil, checkParallelDelete},
	}
}

func memberChecks() []check {
	return []check{
		{"list", all(lists, canUpdate), checkList},
		{"members", deltas, checkMembers},
		{"members, answer", deltas, checkMembersAnswer},
		{"members and fields", deltas, checkMembersAndFields},
		{"members, not found", deltas, checkMembersNotFound},
		{"members go with their record", lists, checkMembersGone},
		{"members are not read", func(r *rig) bool { return deltas(r) && r.h.MembersRead != nil }, checkMembersUnread},
		{"members, parallel", deltas, checkParallelMembers},
	}
}

func elementChecks() []check {
	return []check{
		{"elements", all(elements, canUpdate), checkElements},
		{"elements, keys", all(elements, canUpdate), checkElementKeys},
		{"elements, lost update", all(elements, canUpdate), checkElementsLost},
		{"elements go with their record", elements, checkElementsGone},
		{"elements of a page", elements, checkElementsPage},
		{"elements, filter", elements, checkElementFilters},
	}
}

func filterChecks() []check {
	return []check{
		{"filter, truths", filtersNick, checkTruths},
		{"filter, every comparison", filters, checkComparisons},
		{"filter, and or not", filters, checkLogic},
		{"filter, random", filters, checkProperty},
		{"undeclared is refused", nil, checkUndeclared},
	}
}

func listChecks() []check {
	return []check{
		{"order by key", canUpdate, checkOrder},
		{"sort", func(r *rig) bool { return len(r.sorts()) > 0 }, checkSort},
		{"offset", func(r *rig) bool { return r.caps.Offset }, checkOffset},
		{"cursor", nil, checkCursor},
		{"cursor with filter", filters, checkCursorFilter},
		{"bad cursor", nil, checkCursorBad},
		{"total", func(r *rig) bool { return r.caps.Total }, checkTotal},
		{"total, not asked for", nil, checkTotalUnasked},
		{"no records wanted", nil, checkLimitNone},
	}
}

// What a check can need.

func canUpdate(r *rig) bool   { return !r.caps.NoUpdate }
func elements(r *rig) bool    { return r.field(r.f.Emails).Elements != nil }
func unique(r *rig) bool      { return r.field(r.f.Name).Unique }
func givenKeys(r *rig) bool   { return r.caps.GivenKeys && r.h.KeyFrom == "" }
func oddKeys(r *rig) bool     { return givenKeys(r) && r.h.OddKeys }
func renames(r *rig) bool     { return r.h.KeyFrom != "" && canUpdate(r) }
func lists(r *rig) bool       { return r.field(r.f.Members).Multi }
func deltas(r *rig) bool      { return r.field(r.f.Members).Delta && canUpdate(r) }
func filters(r *rig) bool     { return len(r.filterable()) > 0 }
func filtersNick(r *rig) bool { return len(r.matches(r.f.Nick)) > 0 }

func all(needs ...func(*rig) bool) func(*rig) bool {
	return func(r *rig) bool {
		return !slices.ContainsFunc(needs, func(need func(*rig) bool) bool { return !need(r) })
	}
}
