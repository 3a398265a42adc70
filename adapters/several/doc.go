// Package several makes one adapter of a main one and of parts: other records, in
// other backends, that say more about the same thing. The main record says which
// records there are, and what their keys are; a part is found by what a field of the
// main record holds. Each field lives in one place, which is the authority for it.
//
// Reads ask the places in parallel, a part only if its fields are wanted, and for a
// page a part is asked once. Writes are in order, the main record first. What a place
// refuses is taken back in all; what has no answer is carried on forward, from a note
// that is made before the first place is touched (adapters.Note).
//
// It knows the contract of adapters, and no kind of backend, configuration or table.
package several
