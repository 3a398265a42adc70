package file

// StopAt has f told how many files of a change are in place.
func (a *Adapter) StopAt(f func(files int)) { a.b.stop = f }
