// Command merged measures what merges cost those who are not merged: two Posterns
// on copies of one staff database and of one mapping table, in one of which every
// tenth identity is merged into another. Both are the real program, loaded from
// outside over loopback, in turns. A GET by id and a search by userName must be as
// fast in the one as in the other.
//
// For each case it prints a line such as
//
//	RATIO case=merged-get identities=1000000 value=0.99 target=0.95
//
// where value is the median over the turns of the throughput with merges, divided
// by that without. Nothing stays behind.
package main
