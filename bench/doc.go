// Command bench measures Postern beside what a developer would write by hand: the
// façade in bench/facade, with Gin and database/sql, over an identical copy of the
// same SQLite database, with a table of ids of its own, and with the same answers,
// which is checked before anything is timed. Both are programs of their own,
// loaded from outside over loopback, in turns, so that whatever else the machine
// does meets both.
//
// For each case and size it prints a row of a table and a line such as
//
//	RATIO case=get-by-id users=100000 engine=sqlite value=0.83 target=0.80
//
// where value is the median over the turns of Postern's throughput divided by the
// façade's. Nothing stays behind: files are in a temporary folder that is removed.
//
// It is part of no test run, but for a short test that both give the same answers.
package main
