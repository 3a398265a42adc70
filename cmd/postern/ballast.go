package main

// What is alive between requests takes one or two mebibytes, and Go collects garbage
// whenever the heap has doubled, at four mebibytes at the earliest: under load dozens of
// times a second, which dropped what is kept to be used again as often. So the heap is
// made to look larger by room that nobody touches: the system gives no memory for that,
// and the heap may grow by so much before it is collected. A higher GOGC would let large
// heaps grow by more, which need it less.
func ballast() []byte { return make([]byte, 1<<20) }
