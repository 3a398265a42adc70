package adapters

// Equal reports whether two records of one shape hold the same, whatever their
// keys.
func (r Record) Equal(o Record) bool {
	for i, v := range r.values {
		if !Same(v, o.values[i]) {
			return false
		}
	}
	return len(r.values) == len(o.values)
}

// Empty reports whether a record has no value at all.
func (r Record) Empty() bool {
	for _, v := range r.values {
		if !NoValue(v) {
			return false
		}
	}
	return true
}

// CloneElements copies elements, so that the values of neither change the other's.
func CloneElements(elems []Record) []Record {
	if elems == nil {
		return nil
	}
	out := make([]Record, len(elems))
	for i, e := range elems {
		out[i] = e.Clone()
	}
	return out
}
