// Package order lists records that an adapter has in memory: the order by key and
// by sort values, where a page begins and ends, and its cursor.
//
// It knows the contract of package adapters and no backend.
package order
