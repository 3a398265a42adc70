package ldap

// MembersRead is how many values of references were read.
func (d *Directory) MembersRead() int { return int(d.membersRead.Load()) }
